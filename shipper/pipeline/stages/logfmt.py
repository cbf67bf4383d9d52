"""``logfmt``: extract values by their keys (promtail stages/logfmt.go)."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from exporters.toolkit.decode import Problem
from shipper.loki.quiet import Quiet
from shipper.pipeline.logfmt import LogfmtError, parse
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What is extracted under which name; no key: the one that bears the name."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None

    def problems(self) -> Iterator[Problem]:
        if not self.mapping:
            yield Problem("logfmt mapping is required")
        if self.source == "":
            yield Problem("empty source", ("source",))

    def build(self, workshop: Workshop) -> Filter:
        """Return the stage."""
        return _Extract(self, Quiet(workshop.monotonic))


class _Extract(Filter):
    """Sets what it finds; what follows a mistake in the line is not looked at."""

    def __init__(self, config: Config, quiet: Quiet) -> None:
        self._source = config.source
        self._quiet = quiet
        self._names: defaultdict[str, list[str]] = defaultdict(list)
        for name, key in config.mapping.items():
            self._names[key or name].append(name)

    def apply(self, record: Record) -> bool:
        text = record.source(self._source)
        if text is None:
            return True
        names, extracted = self._names, record.extracted
        try:
            for key, value in parse(text):
                for name in names.get(key, ()):
                    extracted[name] = value
        except LogfmtError as error:
            self._complain(str(error))
        return True

    def _complain(self, error: str) -> None:
        again = self._quiet.may_say("logfmt")
        if again is not None:
            fields = {"err": error, "suppressed": again}
            log.error("failed to decode logfmt", extra={"fields": fields})
