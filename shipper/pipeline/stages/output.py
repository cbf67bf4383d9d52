"""``output``: make the line of what was extracted (promtail stages/output.go)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exporters.toolkit.decode import Problem
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop
from shipper.pipeline.values import text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What the line is taken from."""

    source: str = ""

    def problems(self) -> Iterator[Problem]:
        if not self.source:
            yield Problem("output source value is required if output is specified")

    def build(self, _: Workshop) -> Filter:
        """Return the stage."""
        return _Output(self.source)


class _Output(Filter):
    """Replaces the line if the source was extracted and is text, be it empty."""

    def __init__(self, source: str) -> None:
        self._source = source

    def apply(self, record: Record) -> bool:
        text = text_of(record.extracted.get(self._source))
        if text is not None:
            record.line = text
        return True
