"""Integers of sysfs as Go's strconv.ParseInt and ParseUint take them.

Base 10 takes digits only; any base goes by the prefix: ``0x``, ``0b``, ``0o`` or a
plain leading 0. Every function raises ValueError, and none takes blanks.
"""

from __future__ import annotations

import re


_ANY_BASE = re.compile(
    r"[+-]?(?:0x(?P<hex>[0-9a-f]+)|0b(?P<bin>[01]+)|0o?(?P<oct>[0-7]+)"
    r"|(?P<dec>0|[1-9][0-9]*))",
    re.ASCII | re.IGNORECASE,
)
_BASES = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}
_DECIMAL = re.compile(r"[+-]?(?P<dec>[0-9]+)", re.ASCII)
_LIMIT = 2**63
UINT64_MAX = 2**64 - 1
"""The largest unsigned value; hardware means "not counted" by it."""


def decimal(text: str) -> int:
    """Return *text* as an unsigned 64-bit integer."""
    return _unsigned(text, _DECIMAL)


def signed_decimal(text: str) -> int:
    """Return *text* as a signed 64-bit integer."""
    return _signed(text, _DECIMAL)


def unsigned(text: str) -> int:
    """Return *text*, of any base, as an unsigned 64-bit integer."""
    return _unsigned(text, _ANY_BASE)


def signed(text: str) -> int:
    """Return *text*, of any base, as a signed 64-bit integer."""
    return _signed(text, _ANY_BASE)


def _signed(text: str, pattern: re.Pattern[str]) -> int:
    value = _parse(text, pattern)
    if value is None or not -_LIMIT <= value < _LIMIT:
        raise ValueError(f"expected an integer of 64 bits, got {text!r}")
    return value


def _unsigned(text: str, pattern: re.Pattern[str]) -> int:
    value = None if text.startswith(("+", "-")) else _parse(text, pattern)
    if value is None or value > UINT64_MAX:
        raise ValueError(f"expected an unsigned integer of 64 bits, got {text!r}")
    return value


def _parse(text: str, pattern: re.Pattern[str]) -> int | None:
    found = pattern.fullmatch(text)
    if found is None or found.lastgroup is None:
        return None
    magnitude = int(found[found.lastgroup], _BASES[found.lastgroup])
    return -magnitude if text.startswith("-") else magnitude
