"""``labeldrop``: take labels away (promtail stages/labeldrop.go)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from exporters.toolkit.decode import Problem
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The names of the labels."""

    names: tuple[str, ...] = ()

    INLINE: ClassVar[str] = "names"

    def problems(self) -> Iterator[Problem]:
        if not self.names:
            yield Problem("labeldrop stage config cannot be empty")

    def build(self, _: Workshop) -> Filter:
        """Return the stage."""
        return _LabelDrop(self.names)


class _LabelDrop(Filter):
    """Takes the labels away; what was extracted stays."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def apply(self, record: Record) -> bool:
        for name in self._names:
            record.labels.pop(name, None)
        return True
