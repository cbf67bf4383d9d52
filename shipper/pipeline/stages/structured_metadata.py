"""``structured_metadata``: pairs beside the line (promtail structuredmetadata.go).

Its older name is ``non_indexed_labels``.
"""

from __future__ import annotations

from dataclasses import dataclass

from shipper.pipeline.label_keys import LabelSources
from shipper.pipeline.labelset import LabelSet, Memo
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop
from shipper.pipeline.values import is_utf8, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(LabelSources):
    """What each pair takes its value from; nothing: from what bears its name."""

    def build(self, _: Workshop) -> Filter:
        """Return the stage."""
        return _Metadata(self.pairs)


class _Metadata(Filter):
    """Appends what was extracted, then what is a label: that is no label any more."""

    def __init__(self, sources: list[tuple[str, str]]) -> None:
        self._sources = sources
        self._memo: Memo[LabelSet, LabelSet] = Memo()

    def apply(self, record: Record) -> bool:
        for name, key in self._sources:
            _append(record, name, text_of(record.extracted.get(key)))
        for name, key in self._sources:
            _append(record, name, record.labels.get(key))
        labels = record.labels
        record.labels = self._memo.get(labels) or self._memo.remember(
            labels, labels.without(key for _, key in self._sources), labels.size
        )
        return True


def _append(record: Record, name: str, value: str | None) -> None:
    """Append a pair once: a label is extracted too, so promtail has most of them twice.

    When the label and what was extracted differ, both are kept; Loki shows the last.
    """
    if value is None or not is_utf8(value):
        return
    pair = (name, value)
    if pair not in record.metadata:
        record.metadata += (pair,)
