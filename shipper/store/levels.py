"""detected_level, the structured metadata that Loki adds to every line.

Grafana colours lines and the histogram of Explore by it. Counterpart of
pkg/distributor/field_detection.go (3.4), whose guesses are odd here and there: ``info``
anywhere in a line comes before ``error``, and ``[Warning]`` is nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

from exporters.toolkit.regex import Regex
from shipper.logql.json_scan import JSONError, members
from shipper.logql.logfmt_scan import LogfmtError, pairs
from shipper.logql.sanitize import decoded
from shipper.pipeline.entry import Entry, Labels


DETECTED_LEVEL: Final = "detected_level"
UNKNOWN: Final = "unknown"
LEVEL_FIELDS: Final = (
    "level", "LEVEL", "Level", "Severity", "severity", "SEVERITY", "lvl", "LVL", "Lvl",
)  # fmt: skip
"""Loki's validation.log-level-fields: where a level is looked for, the first first."""

_LOGFMT_FIELDS: Final = ("level", "severity", "lvl")  # in any case
_LEVELS: Final = {
    "trace": "trace", "trc": "trace", "debug": "debug", "dbg": "debug", "info": "info",
    "inf": "info", "warn": "warn", "wrn": "warn", "warning": "warn", "error": "error",
    "err": "error", "critical": "critical", "fatal": "fatal",
}  # fmt: skip
_GUESSES: Final = (
    (b"info", "info"), (b"INFO", "info"), (b"err:", "error"), (b"ERR:", "error"),
    (b"error", "error"), (b"ERROR", "error"), (b"warn:", "warn"), (b"WARN:", "warn"),
    (b"warning", "warn"), (b"WARNING", "warn"), (b"CRITICAL:", "critical"),
    (b"critical:", "critical"), (b"debug:", "debug"), (b"DEBUG:", "debug"),
)  # fmt: skip
_IN_JSON: Final = Regex(f'"(?:{"|".join(LEVEL_FIELDS)})"')
_IN_LOGFMT: Final = Regex(f"(?i:{'|'.join(_LOGFMT_FIELDS)})=")
_IN_TEXT: Final = "|".join(text.decode() for text, _ in _GUESSES)
# One quick look, which is all that most lines need.
_CLUE: Final = Regex(f"{_IN_TEXT}|{_IN_JSON.pattern}|{_IN_LOGFMT.pattern}")
_LONGEST: Final = 4096
"""Bytes of a line in which fields are looked for: parsing takes time."""
_SEVERITY_NUMBER: Final = "severity_number"  # OpenTelemetry's: 1 to 24
_SEVERITIES: Final = ("trace", "debug", "info", "warn", "error", "fatal", UNKNOWN)


def with_levels(labels: Labels, entries: Iterable[Entry]) -> list[Entry]:
    """Return *entries* of the stream *labels*, each with its detected_level."""
    known = _first(dict(labels))
    return [_with_level(entry, known) for entry in entries]


def level_of(line: bytes) -> str:
    """Return the level that *line* names, or seems to."""
    if not _CLUE.search(line):
        return UNKNOWN
    text, name = line.strip(), ""
    if text.startswith(b"{") and text.endswith(b"}"):
        if _IN_JSON.search(text):
            name = _json_level(decoded(text[:_LONGEST]))
    elif _IN_LOGFMT.search(text):
        name = _logfmt_level(decoded(text[:_LONGEST]))
    if level := _LEVELS.get(name.lower()):
        return level
    return next((guess for word, guess in _GUESSES if word in line), UNKNOWN)


def _with_level(entry: Entry, known: str | None) -> Entry:
    level = known
    if level is None and entry.metadata:
        level = _stored_level(dict(entry.metadata))
    if level is None:
        level = level_of(entry.line)
    if not level:
        return entry
    metadata = (*entry.metadata, (DETECTED_LEVEL, level))
    return Entry(entry.timestamp_ns, entry.line, metadata)


def _first(fields: Mapping[str, str]) -> str | None:
    return next((fields[name] for name in LEVEL_FIELDS if name in fields), None)


def _stored_level(metadata: Mapping[str, str]) -> str | None:
    named = _first(metadata)
    number = metadata.get(_SEVERITY_NUMBER)
    return _severity(number) if named is None and number else named


def _severity(number: str) -> str:
    try:
        value = int(number)
    except ValueError:
        return "info"
    return _SEVERITIES[bisect_left((4, 8, 12, 16, 20, 24), value)] if value else UNKNOWN


def _json_level(text: str) -> str:
    found: dict[str, str] = {}
    with suppress(JSONError):
        for key, value in members(text):
            if key in LEVEL_FIELDS:
                found.setdefault(key, value.raw)
                if key == LEVEL_FIELDS[0]:
                    break
    return _first(found) or ""


def _logfmt_level(text: str) -> str:
    found: dict[str, str] = {}
    with suppress(LogfmtError):
        for key, value in pairs(text, strict=True):
            name = key.lower()
            if name in _LOGFMT_FIELDS:
                found.setdefault(name, value)
                if name == _LOGFMT_FIELDS[0]:
                    break
    return next((found[name] for name in _LOGFMT_FIELDS if name in found), "")
