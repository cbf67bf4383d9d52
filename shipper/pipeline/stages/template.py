"""``template``: render something extracted anew (promtail stages/template.go)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from exporters.toolkit.decode import Problem
from shipper.loki.quiet import Quiet
from shipper.pipeline.gotemplate import TemplateError, compile_template
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop
from shipper.pipeline.values import text_of


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The name of what is set, and the template that gives it its text."""

    source: str = ""
    template: str = ""

    def problems(self) -> Iterator[Problem]:
        if not self.source:
            yield Problem("template source value is required")
        try:
            compile_template(self.template)
        except TemplateError as error:
            yield Problem(str(error), ("template",))

    def build(self, workshop: Workshop) -> Filter:
        """Return the stage."""
        return _Render(self, Quiet(workshop.monotonic))


class _Render(Filter):
    """Sets the source, or deletes it when the text is empty.

    What was extracted is text there, ``.Value`` the source, ``.Entry`` the line.
    """

    def __init__(self, config: Config, quiet: Quiet) -> None:
        self._source = config.source
        self._template = compile_template(config.template)
        self._quiet = quiet
        fields = self._template.fields
        self._fields = None if fields is None else {*fields, self._source}

    def apply(self, record: Record) -> bool:
        values = texts(record, self._fields)
        if self._source in values:
            values["Value"] = values[self._source]
        values["Entry"] = record.line
        try:
            text = self._template.render(values)
        except TemplateError as error:
            complain(self._quiet, error)
            return True
        if text:
            record.extracted[self._source] = text
        else:
            record.extracted.pop(self._source, None)
        return True


def texts(record: Record, names: Iterable[str] | None = None) -> dict[str, str]:
    """Return what a template may use: everything extracted that has a text.

    Only *names* where a template says what it uses.
    """
    extracted = record.extracted
    return {
        name: text
        for name in (extracted if names is None else names)
        if (text := text_of(extracted.get(name))) is not None
    }


def complain(quiet: Quiet, error: TemplateError) -> None:
    """Say that a template could not be used for a line, at most once a minute."""
    again = quiet.may_say("template")
    if again is not None:
        fields = {"err": str(error), "suppressed": again}
        message = "failed to execute template on extracted value"
        log.warning(message, extra={"fields": fields})
