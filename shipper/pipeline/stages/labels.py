"""``labels``: make labels of what was extracted (promtail stages/labels.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from exporters.toolkit.decode import Problem
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop
from shipper.pipeline.values import is_utf8, text_of
from shipper.relabel import is_label_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What each label takes its value from; nothing: from what bears its name."""

    sources: Mapping[str, str] = field(default_factory=dict)

    INLINE: ClassVar[str] = "sources"

    def problems(self) -> Iterator[Problem]:
        for name in self.sources:
            if not is_label_name(name):
                yield Problem(f"invalid label name: {name}", (name,))

    def build(self, _: Workshop) -> Labels:
        """Return the stage."""
        return Labels(self)


class Labels(Filter):
    """Sets the labels whose source was extracted and is text."""

    def __init__(self, config: Config) -> None:
        self._sources = [(name, key or name) for name, key in config.sources.items()]

    def apply(self, record: Record) -> bool:
        """Set them; a value that is no UTF-8 is not taken, as in promtail."""
        for name, key in self._sources:
            value = text_of(record.extracted.get(key))
            if value is not None and is_utf8(value):
                record.labels[name] = value
        return True
