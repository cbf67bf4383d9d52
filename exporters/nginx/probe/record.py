"""What happened during one probe, for ``debug=true`` (blackbox_exporter handler.go).

The page goes to whoever may ask, and with a wide ``--probe.allow`` that may be any
service of a network: what a server sent is in the exporter's log, never on the page.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from exporters.toolkit.exposition import encode
from exporters.toolkit.logs import LogfmtFormatter
from exporters.toolkit.metric import Metric


_ROOT = logging.getLogger("exporters.nginx")
_FORMAT = LogfmtFormatter()

# Our errors say "expected this, got that". Of "that", a status alone stays.
_GOT = re.compile(r"\b((?>got(?: [0-9]{3}\b)?|beginning with)) .+", re.DOTALL)
_HIDDEN = r"\1 something else (what, says the log of the exporter)"

_current: ContextVar[Record | None] = ContextVar("probe_record", default=None)


class Note(Protocol):
    """Say what happens, for `Record`."""

    def __call__(self, message: str, **fields: object) -> None: ...


class Record:
    """The lines of one probe, of all tasks that belong to it."""

    def __init__(self, **fields: object) -> None:
        self._fields = fields
        self._lines: list[str] = []

    def note(self, message: str, **fields: object) -> None:
        """Add a line that is not in the log of the exporter."""
        path, line, _, _ = _ROOT.findCaller(stacklevel=2)
        record = logging.LogRecord(
            _ROOT.name, logging.INFO, path, line, message, None, None
        )
        self._add(record, fields)

    def take(self, record: logging.LogRecord) -> None:
        """Add a line of the log, without what the other side sent."""
        copy = logging.makeLogRecord(record.__dict__)
        copy.msg, copy.args = _GOT.sub(_HIDDEN, record.getMessage()), None
        copy.exc_info = None
        given: Mapping[str, object] = getattr(record, "fields", {})
        self._add(copy, {key: _hide(value) for key, value in given.items()})

    def _add(self, record: logging.LogRecord, fields: Mapping[str, object]) -> None:
        record.__dict__["fields"] = {**self._fields, **fields}
        self._lines.append(_FORMAT.format(record))

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take what is logged inside, by this task and those it starts."""
        token = _current.set(self)
        _ROOT.addHandler(_TAP)  # adds it once
        try:
            yield
        finally:
            _current.reset(token)

    def page(self, families: Iterable[Metric], settings: Mapping[str, object]) -> str:
        """Return the page, with blackbox_exporter's headings."""
        metrics = encode(families).decode()
        lines = "".join(f"{line}\n" for line in self._lines)
        module = "".join(f"{key}: {value}\n" for key, value in settings.items())
        return (
            f"Logs for the probe:\n{lines}\n\n\n"
            f"Metrics that would have been returned:\n{metrics}\n\n\n"
            f"Module configuration:\n{module}"
        )


class _Tap(logging.Handler):
    """Give each line to the probe it belongs to, if that is being debugged."""

    def emit(self, record: logging.LogRecord) -> None:
        current = _current.get()
        if current is not None:
            current.take(record)


_TAP = _Tap()


def _hide(value: object) -> object:
    return _GOT.sub(_HIDDEN, value) if isinstance(value, str) else value
