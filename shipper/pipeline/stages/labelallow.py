"""``labelallow``: keep some labels only (promtail stages/labelallow.go)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shipper.pipeline.label_keys import LabelNames
from shipper.pipeline.labelset import LabelSet, Memo
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(LabelNames):
    """The names of the labels that stay."""

    STAGE: ClassVar[str] = "labelallow"

    def build(self, _: Workshop) -> Filter:
        """Return the stage."""
        return _LabelAllow(frozenset(self.names))


class _LabelAllow(Filter):
    """Takes all other labels away, the tenant of a stage before it too."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self._memo: Memo[LabelSet, LabelSet] = Memo()

    def apply(self, record: Record) -> bool:
        labels = record.labels
        record.labels = self._memo.get(labels) or self._memo.remember(
            labels, labels.without(labels.values.keys() - self._names), labels.size
        )
        return True
