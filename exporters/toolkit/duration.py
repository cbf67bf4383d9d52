"""Go durations: ``1h15m30.918s`` to seconds and back.

Upstream counterpart: ``time.ParseDuration``, ``Duration.String``, ``Duration.Seconds``.
"""

from __future__ import annotations

import re

from .gotext import quote


_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # U+00B5, micro sign
    "μs": 1_000,  # U+03BC, Greek mu
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_LIMIT = 1 << 63  # a Go duration is an int64 of nanoseconds
_TERM = re.compile(r"(\d*)(\.\d*)?([^\d.]*)", re.ASCII)


def parse_go_duration(text: str) -> float:
    """Return *text* in seconds.

    Raises:
        ValueError: with the text of ``time.ParseDuration``.
    """
    return parse_nanoseconds(text) / 1e9


def parse_nanoseconds(text: str) -> int:
    """Return *text* in nanoseconds, exactly as ``time.ParseDuration`` rounds it."""
    negative = text.startswith("-")
    rest = text[1:] if text[:1] in {"+", "-"} else text
    if rest == "0":
        return 0
    if not rest:
        raise _invalid(text)
    total = 0
    position = 0
    while position < len(rest):
        nanoseconds, position = _parse_term(rest, position, text)
        total += nanoseconds
        # The most negative int64 is allowed, its positive twin is not.
        if total > _LIMIT or (total == _LIMIT and not negative):
            raise _invalid(text)
    return -total if negative else total


def _parse_term(rest: str, position: int, text: str) -> tuple[int, int]:
    match = _TERM.match(rest, position)
    assert match is not None  # every part of the pattern is optional
    whole, fraction, unit = match.groups()
    fraction = (fraction or "")[1:]
    if not whole and not fraction:
        raise _invalid(text)
    if not unit:
        raise ValueError(f"time: missing unit in duration {quote(text)}")
    scale = _NANOSECONDS.get(unit)
    if scale is None:
        raise ValueError(
            f"time: unknown unit {quote(unit)} in duration {quote(text)}",
        )
    nanoseconds = int(whole or "0") * scale
    if fraction:
        nanoseconds += int(fraction) * scale // 10 ** len(fraction)
    return nanoseconds, match.end()


def _invalid(text: str) -> ValueError:
    return ValueError(f"time: invalid duration {quote(text)}")


def in_seconds(nanoseconds: int) -> float:
    """Return *nanoseconds* as ``Duration.Seconds`` does: the same float64.

    Whole seconds and the rest are converted apart and then added.
    """
    whole, rest = divmod(abs(nanoseconds), _NANOSECONDS["s"])
    seconds = whole + rest / 1e9
    return -seconds if nanoseconds < 0 else seconds


def format_go_duration(seconds: float) -> str:
    """Return *seconds* as ``Duration.String`` prints it: ``1m30s``, ``1.5ms``."""
    return format_nanoseconds(round(seconds * 1e9))


def format_nanoseconds(nanoseconds: int) -> str:
    """Return *nanoseconds* as ``Duration.String`` prints it."""
    if nanoseconds == 0:
        return "0s"
    sign = "-" if nanoseconds < 0 else ""
    size = abs(nanoseconds)
    for unit, scale in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
        if size < scale * 1000:
            return sign + _decimal(size, scale) + unit
    minutes, rest = divmod(size, _NANOSECONDS["m"])
    hours, minutes = divmod(minutes, 60)
    text = _decimal(rest, _NANOSECONDS["s"]) + "s"
    if hours:
        text = f"{hours}h{minutes}m{text}"
    elif minutes:
        text = f"{minutes}m{text}"
    return sign + text


def _decimal(value: int, scale: int) -> str:
    whole, rest = divmod(value, scale)
    if not rest:
        return str(whole)
    digits = len(str(scale)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0")
