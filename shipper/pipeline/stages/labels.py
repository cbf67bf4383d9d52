"""``labels``: make labels of what was extracted (promtail stages/labels.go)."""

from __future__ import annotations

from dataclasses import dataclass

from shipper.pipeline.label_keys import LabelSources
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop
from shipper.pipeline.values import is_utf8, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(LabelSources):
    """What each label takes its value from; nothing: from what bears its name."""

    def build(self, _: Workshop) -> Labels:
        """Return the stage."""
        return Labels(self)


class Labels(Filter):
    """Sets the labels whose source was extracted and is text."""

    def __init__(self, config: Config) -> None:
        self._sources = config.pairs

    def apply(self, record: Record) -> bool:
        """Set them; a value that is no UTF-8 is not taken, as in promtail."""
        for name, key in self._sources:
            value = text_of(record.extracted.get(key))
            if value is not None and is_utf8(value):
                record.labels[name] = value
        return True
