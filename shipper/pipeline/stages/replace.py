"""``replace``: replace what groups match (promtail stages/replace.go)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exporters.toolkit.decode import Problem
from exporters.toolkit.regex import Regex, RegexError
from shipper.loki.quiet import Quiet
from shipper.pipeline.gotemplate import TemplateError, compile_template
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop
from shipper.pipeline.text import Spans, find_all

from .template import complain, texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The pattern, what its groups become, and in what: by default in the line."""

    expression: str = ""
    source: str | None = None
    replace: str = ""

    def problems(self) -> Iterator[Problem]:
        if not self.expression:
            yield Problem("expression is required")
        if self.source == "":
            yield Problem("empty source in replace stage", ("source",))
        try:
            Regex(self.expression)
        except RegexError as error:
            text = f"could not compile regular expression: {error}"
            yield Problem(text, ("expression",))
        try:
            compile_template(self.replace)
        except TemplateError as error:
            yield Problem(str(error), ("replace",))

    def build(self, workshop: Workshop) -> Filter:
        """Return the stage."""
        return _Replace(self, Quiet(workshop.monotonic))


class _Replace(Filter):
    """Renders the template for each group of each match, ``.Value`` being its text.

    A group inside another one stays as the outer one has it. What the first match's
    named groups became is extracted.
    """

    def __init__(self, config: Config, quiet: Quiet) -> None:
        self._source = config.source
        self._regex = Regex(config.expression)
        self._template = compile_template(config.replace)
        self._quiet = quiet

    def apply(self, record: Record) -> bool:
        text = record.source(self._source)
        matches = [] if text is None else find_all(self._regex, text)
        if text is None or not matches:
            return True
        became: dict[str, str] = {}
        try:
            result = self._replaced(
                text, matches, texts(record, self._template.fields), became
            )
        except TemplateError as error:
            complain(self._quiet, error)
            return True
        if self._source is None:
            record.line = result
        else:
            record.extracted[self._source] = result
        self._extract(record, text, matches[0], became)
        return True

    def _replaced(
        self,
        text: str,
        matches: list[Spans],
        values: dict[str, str],
        became: dict[str, str],
    ) -> str:
        parts: list[str] = []
        position = 0
        for start, end in _groups(matches):
            values["Value"] = group = text[start:end]
            became[group] = rendered = self._template.render(values)
            if position <= start:
                parts += (text[position:start], rendered)
                position = end
        return "".join(parts) + text[position:]

    def _extract(
        self, record: Record, text: str, first: Spans, became: dict[str, str]
    ) -> None:
        for name, (start, end) in zip(self._regex.names, first, strict=True):
            group = text[start:end] if start >= 0 else ""
            if name and group in became:
                record.extracted[name] = became[group]


def _groups(matches: list[Spans]) -> Iterator[tuple[int, int]]:
    """Yield where each group that took part in a match begins and ends."""
    for spans in matches:
        for start, end in spans[1:]:
            if start >= 0:
                yield start, end
