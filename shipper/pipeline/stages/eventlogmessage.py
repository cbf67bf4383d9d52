"""``eventlogmessage``: extract what a Windows event says (promtail stages/).

Each ``Key: value`` of the message becomes something extracted.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from exporters.toolkit.decode import Problem
from shipper.loki.quiet import Quiet
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop
from shipper.pipeline.values import is_utf8, text_of
from shipper.relabel import is_label_name


log = logging.getLogger(__name__)

_ILLEGAL: Final = re.compile(r"[^a-zA-Z0-9_]|^[0-9]")
# Go's unicode.IsSpace; str.strip alone would take \x1c to \x1f too.
_SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
    "\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Where the message is, and what to do with keys that are no label names.

    Without *overwrite_existing* a key that is there already gets ``_extracted`` added.
    """

    source: str = "message"
    drop_invalid_labels: bool = False
    overwrite_existing: bool = False

    def problems(self) -> Iterator[Problem]:
        if not is_label_name(self.source):
            yield Problem(f"invalid label name: {self.source}", ("source",))

    def build(self, workshop: Workshop) -> Filter:
        """Return the stage."""
        return _EventLogMessage(self, workshop)


class _EventLogMessage(Filter):
    """Changes what was extracted only; no line is dropped."""

    def __init__(self, config: Config, workshop: Workshop) -> None:
        self._config = config
        self._quiet = Quiet(workshop.monotonic)

    def apply(self, record: Record) -> bool:
        source = self._config.source
        if source not in record.extracted:
            return True
        message = text_of(record.extracted[source])
        if message is None:  # promtail drops the line, and counts it nowhere
            self._warn("the message that was extracted is no text", source)
            return True
        for line in message.split("\r\n"):
            key, colon, value = line.partition(":")
            if colon:
                self._extract(record, key, value.strip(_SPACE))
            else:
                self._warn("invalid line parsed from message", line)
        return True

    def _extract(self, record: Record, key: str, value: str) -> None:
        if not is_label_name(key):
            if self._config.drop_invalid_labels:
                return
            key = _ILLEGAL.sub("_", key) or "_"
        if key in record.extracted and not self._config.overwrite_existing:
            key += "_extracted"
        if is_utf8(value):
            record.extracted[key] = value

    def _warn(self, what: str, text: str) -> None:
        suppressed = self._quiet.may_say(what)
        if suppressed is not None:
            fields = {"text": text[:100], "suppressed": suppressed}
            log.warning(what, extra={"fields": fields})
