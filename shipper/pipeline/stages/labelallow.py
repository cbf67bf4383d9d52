"""``labelallow``: keep some labels only (promtail stages/labelallow.go)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shipper.pipeline.label_keys import LabelNames
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

    def apply(self, record: Record) -> bool:
        kept = {k: v for k, v in record.labels.items() if k in self._names}
        record.labels = kept
        return True
