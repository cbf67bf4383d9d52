"""``labels``: make labels of what was extracted (promtail stages/labels.go)."""

from __future__ import annotations

from dataclasses import dataclass

from shipper.pipeline.label_keys import LabelSources
from shipper.pipeline.labelset import LabelSet, Memo
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
        self._names = [name for name, _ in config.pairs]
        self._keys = [key for _, key in config.pairs]
        self._memo: Memo[tuple[LabelSet | str | None, ...], LabelSet] = Memo()

    def apply(self, record: Record) -> bool:
        """Set them; a value that is no UTF-8 is not taken, as in promtail."""
        extracted = record.extracted
        values = [
            value if type(value := extracted.get(key)) is str else text_of(value)
            for key in self._keys
        ]
        key = (record.labels, *values)
        labels = self._memo.get(key)
        if labels is None:
            labels = self._labelled(record.labels, values)
            size = labels.size + sum(len(value) for value in values if value)
            self._memo.remember(key, labels, size)
        record.labels = labels
        return True

    def _labelled(self, labels: LabelSet, values: list[str | None]) -> LabelSet:
        found = {
            name: value
            for name, value in zip(self._names, values, strict=True)
            if value is not None and is_utf8(value)
        }
        return labels.having(found)
