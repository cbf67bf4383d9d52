"""``regex``: extract what the named groups match (promtail stages/regex.go)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exporters.toolkit.decode import Problem
from exporters.toolkit.regex import Regex, RegexError
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop
from shipper.pipeline.text import extract


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The pattern and what it is applied to: something extracted, or the line."""

    expression: str = ""
    source: str | None = None

    def problems(self) -> Iterator[Problem]:
        if not self.expression:
            yield Problem("expression is required")
        if self.source == "":
            yield Problem("empty source", ("source",))
        try:
            Regex(self.expression)
        except RegexError as error:
            text = f"could not compile regular expression: {error}"
            yield Problem(text, ("expression",))

    def build(self, _: Workshop) -> Filter:
        """Return the stage."""
        return _Extract(self)


class _Extract(Filter):
    """Sets every named group; one that took no part in the match is empty."""

    def __init__(self, config: Config) -> None:
        self._regex = Regex(config.expression)
        self._source = config.source

    def apply(self, record: Record) -> bool:
        text = record.source(self._source)
        named = None if text is None else extract(self._regex, text)
        if named:
            record.extracted.update(named)
        return True
