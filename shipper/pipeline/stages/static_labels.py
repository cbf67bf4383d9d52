"""``static_labels``: labels that are always the same (promtail static_labels.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from exporters.toolkit.decode import Problem
from shipper.pipeline.label_keys import name_problems
from shipper.pipeline.labelset import LabelSet, Memo
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The value of each label; one without a value is not set."""

    values: Mapping[str, str] = field(default_factory=dict)

    INLINE: ClassVar[str] = "values"

    def problems(self) -> Iterator[Problem]:
        return name_problems(self.values)

    def build(self, _: Workshop) -> Filter:
        """Return the stage."""
        return _StaticLabels({k: v for k, v in self.values.items() if v})


class _StaticLabels(Filter):
    """Sets the labels, over what is there."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = labels
        self._memo: Memo[LabelSet, LabelSet] = Memo()

    def apply(self, record: Record) -> bool:
        labels = record.labels
        record.labels = self._memo.get(labels) or self._memo.remember(
            labels, labels.having(self._labels), labels.size
        )
        return True
