"""Limits that Loki names when it refuses, for a Loki whose configuration is not shown.

The text of a refusal holds labels, which anybody may have written. So a limit counts
only where Loki's sentence has it, and when something that was sent is over it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from shipper.pipeline.entry import Entry, Labels, Metadata

from .encode import utf8
from .loki_limits import UNKNOWN, LokiLimits
from .refusals import messages
from .shape import SERVICE_NAME, metadata_bytes


_LINE: Final = re.compile(r"(?i)max entry size '(\d{1,18})' bytes exceeded for stream ")
_NAMES: Final = re.compile(
    r"(?s)entry for stream '.*' has \d+ label names; limit (\d{1,18})\s*$"
)
_NAME: Final = re.compile(r"stream '.*' has label name too long: ", re.DOTALL)
_VALUE: Final = re.compile(r"stream '.*' has label value too long: ", re.DOTALL)
_DISALLOWED: Final = re.compile(
    r"stream '.*' includes structured metadata, ", re.DOTALL
)
_SIZE: Final = re.compile(
    r"(?s)stream '.*' has structured metadata too large: '\d+' bytes, "
    r"limit: '(\d{1,18})' bytes"
)
_PAIRS: Final = re.compile(
    r"(?s)stream '.*' has too many structured metadata labels: '\d+', "
    r"limit: '(\d{1,18})'"
)
_OLD: Final = re.compile(
    r"(?s)entry for stream '.*' has timestamp too old: \S+, "
    r"oldest acceptable timestamp is: (\S+)\s*$"
)

LIKELY_NAME_BYTES: Final = 1024
LIKELY_VALUE_BYTES: Final = 2048
"""Loki's defaults: how long a name and a value may be, its refusals do not say."""

_SECOND_NS: Final = 1_000_000_000


def told(
    body: str, labels: Labels, entries: Sequence[Entry], now_ns: int
) -> LokiLimits:
    """Return the limits in the *body* of a 400 to *entries* of the stream *labels*.

    *now_ns* is the time at that Loki, which names a time where others name an age.
    """
    limits = UNKNOWN
    for _, message in messages(body.strip()):
        for found in _about_labels(message, labels), _about(message, entries, now_ns):
            limits = limits.under(found)
    return limits


def _about_labels(message: str, labels: Labels) -> LokiLimits:
    if found := _NAMES.match(message):
        count = sum(name != SERVICE_NAME for name, _ in labels)
        return LokiLimits(label_names=_under(found, [count]))
    if _NAME.match(message):
        names = (name for name, _ in labels)
        return LokiLimits(label_name_bytes=_likely(names, LIKELY_NAME_BYTES))
    if _VALUE.match(message):
        values = (value for _, value in labels)
        return LokiLimits(label_value_bytes=_likely(values, LIKELY_VALUE_BYTES))
    return UNKNOWN


def _about(message: str, entries: Sequence[Entry], now_ns: int) -> LokiLimits:
    if found := _LINE.match(message):
        return LokiLimits(line_bytes=_under(found, (len(e.line) for e in entries)))
    if found := _OLD.match(message):
        return LokiLimits(max_age_ns=_age(found[1], entries, now_ns))
    pairs = [entry.metadata for entry in entries if entry.metadata]
    return _about_metadata(message, pairs) if pairs else UNKNOWN


def _about_metadata(message: str, sent: Sequence[Metadata]) -> LokiLimits:
    if _DISALLOWED.match(message):
        return LokiLimits(metadata_allowed=False)
    if found := _SIZE.match(message):
        return LokiLimits(metadata_bytes=_under(found, map(metadata_bytes, sent)))
    if found := _PAIRS.match(message):
        return LokiLimits(metadata_pairs=_under(found, map(len, sent)))
    return UNKNOWN


def _under(found: re.Match[str], sizes: Iterable[int]) -> int | None:
    """Return the limit in *found* if the largest of *sizes* is over it."""
    limit = int(found[1])
    return limit if 0 < limit < max(sizes, default=0) else None


def _likely(texts: Iterable[str], default: int) -> int | None:
    """Return a limit that the longest of *texts* is over: the default, or half."""
    longest = max((len(utf8(text)) for text in texts), default=0)
    return (default if longest > default else longest // 2) or None


def _age(text: str, entries: Sequence[Entry], now_ns: int) -> int | None:
    try:
        oldest_ns = int(datetime.fromisoformat(text).timestamp()) * _SECOND_NS
    except (ValueError, OverflowError):
        return None
    is_one = any(entry.timestamp_ns < oldest_ns + _SECOND_NS for entry in entries)
    return now_ns - oldest_ns if is_one and oldest_ns < now_ns else None
