"""Log lines as promslog writes them: logfmt or JSON on stderr.

``time=2026-11-22T15:09:10.758Z level=INFO source=web.py:12 msg="Listening on"``
and then the pairs given with ``extra={"fields": {...}}``. Times are UTC.
Upstream counterpart: prometheus/common ``promslog`` over log/slog.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from typing import Any, TextIO

from .flags import Flag
from .gotext import quote


_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}
_FORMATS = ("logfmt", "json")
_RESERVED = frozenset({"time", "level", "source"})


def _parse_level(text: str) -> str:
    if text.lower() not in _LEVELS:
        raise ValueError(f"unrecognized log level {text}")
    return text.lower()


def _parse_format(text: str) -> str:
    if text not in _FORMATS:
        raise ValueError(f"unrecognized log format {text}")
    return text


LOG_LEVEL: Flag[str] = Flag(
    "log.level",
    "Only log messages with the given severity or above. "
    f"One of: [{', '.join(_LEVELS)}]",
    "info",
    _parse_level,
    placeholder="info",
    hints=tuple(_LEVELS),
)
LOG_FORMAT: Flag[str] = Flag(
    "log.format",
    f"Output format of log messages. One of: [{', '.join(_FORMATS)}]",
    "logfmt",
    _parse_format,
    placeholder="logfmt",
    hints=_FORMATS,
)
LOG_FLAGS = (LOG_LEVEL, LOG_FORMAT)


def setup(level: str, format_: str, stream: TextIO | None = None) -> None:
    """Send every logger's lines of *level* and above to *stream* (stderr).

    *level* and *format_* are the values of `LOG_LEVEL` and `LOG_FORMAT`.
    """
    handler = _Handler(stream or sys.stderr)
    number = _LEVELS[level]
    formatter = JSONFormatter if format_ == "json" else LogfmtFormatter
    handler.setFormatter(formatter(with_traceback=number <= logging.DEBUG))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    # asyncio's debug lines are about the loop, not about what this program does.
    logging.getLogger("asyncio").setLevel(max(number, logging.WARNING))


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- logging's
        """Drop the line: when stderr is gone there is nowhere left to complain."""


class LogfmtFormatter(logging.Formatter):
    """Format a record as slog's TextHandler does."""

    def __init__(self, *, with_traceback: bool = False) -> None:
        super().__init__()
        self._with_traceback = with_traceback

    def format(self, record: logging.LogRecord) -> str:
        parts = [
            f"time={_clock(record, 3)}Z",
            f"level={_level(record)}",
            f"source={_text(_source(record))}",
            f"msg={_text(record.getMessage())}",
        ]
        for key, value in _fields(record, with_traceback=self._with_traceback):
            parts.append(f"{_text(key)}={_text(_plain(value))}")
        return " ".join(parts)


class JSONFormatter(logging.Formatter):
    """Format a record as slog's JSONHandler does."""

    def __init__(self, *, with_traceback: bool = False) -> None:
        import json  # noqa: PLC0415 -- 3 ms, and most write logfmt

        super().__init__()
        self._dumps = json.dumps
        self._with_traceback = with_traceback

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _clock(record, 6).rstrip("0").rstrip(".") + "Z",
            "level": _level(record),
            "source": _source(record),
            "msg": record.getMessage(),
        }
        line.update(_fields(record, with_traceback=self._with_traceback))
        text = self._dumps(
            line,
            ensure_ascii=False,
            separators=(",", ":"),
            default=str,
        )
        text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def describe(error: BaseException) -> str:
    """Return *error* on one line: its type, unless the text says enough, and text."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    return f"{name}: {text}" if text else name


def _clock(record: logging.LogRecord, digits: int) -> str:
    seconds, rest = divmod(round(record.created * 1e6), 1_000_000)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{moment}.{f'{rest:06}'[:digits]}"


def _level(record: logging.LogRecord) -> str:
    if record.levelno >= logging.ERROR:
        return "ERROR"
    if record.levelno >= logging.WARNING:
        return "WARN"
    return "INFO" if record.levelno >= logging.INFO else "DEBUG"


def _source(record: logging.LogRecord) -> str:
    return f"{record.filename}:{record.lineno}"


def _fields(
    record: logging.LogRecord,
    *,
    with_traceback: bool,
) -> list[tuple[str, Any]]:
    """Return the structured pairs; an exception becomes ``err``, never many lines."""
    given: dict[str, Any] = getattr(record, "fields", {})
    pairs = [
        (f"logged_{key}" if key in _RESERVED else key, value)
        for key, value in given.items()
    ]
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        pairs.append(("err", describe(error)))
        if with_traceback:
            pairs.append(("stack", "".join(traceback.format_exception(error))))
    return pairs


def _plain(value: Any) -> str:
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, BaseException):
        return describe(value)
    return str(value)


def _text(text: str) -> str:
    """Quote *text* exactly when slog's ``needsQuoting`` says so."""
    return quote(text) if _needs_quoting(text) else text


def _needs_quoting(text: str) -> bool:
    if not text:
        return True
    if text.isascii():
        # slog lets a lone backslash and DEL pass.
        return any(c <= " " or c in '="' for c in text)
    return (
        any(
            c <= " "
            or c in '="'
            or (c > "\x7f" and (c.isspace() or not c.isprintable()))
            for c in text
        )
        or "\ufffd" in text
    )
