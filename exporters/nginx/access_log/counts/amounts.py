"""Numbers in a line: bytes and seconds.

Upstream counterpart: prometheus-nginxlog-exporter ``main.go`` (floatFromFields and
floatFromFieldsMulti). There a NaN makes a counter NaN for good, and a negative size
ends the program.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final


# nginx's off_t. A value beyond is no measurement, and sums of larger ones might
# become infinite.
_LIMIT: Final = 1 << 63
# What strconv.ParseFloat takes, without its hexadecimals, NaN and Inf. float() takes
# "1_0" and the digits of other scripts, too.
_NUMBER: Final = re.compile(
    r"\+?(?:\d{1,32}\.?\d{0,32}|\.\d{1,32})(?:[eE][+-]?\d{1,4})?", re.ASCII
)
# ngx_http_upstream.c: ", " between servers, " : " between groups of servers.
_SEPARATOR: Final = re.compile("[,:]")
_SURE_DIGITS: Final = 18
# Times repeat, sizes do not: 0.1 µs instead of 0.8. At most 1 MiB.
_REMEMBERED: Final = 8192


def number(value: object) -> float | None:
    """Return *value* as a number; None for what stands for unset: ``-``, "", null.

    Raises ValueError for anything else that is no number from 0 to 2^63.
    """
    if isinstance(value, str):
        if len(value) <= _SURE_DIGITS and value.isdigit() and value.isascii():
            return int(value)
        return _number(value)
    if value is None:
        return None
    raise ValueError("expected a number")


@lru_cache(_REMEMBERED)
def _number(text: str) -> float | None:
    if text in {"", "-"}:
        return None
    if _NUMBER.fullmatch(text) is None:
        raise ValueError("expected a number")
    value = float(text)
    if value >= _LIMIT:
        raise ValueError("expected a smaller number")
    return value


def total(value: object) -> float | None:
    """Return the sum of a list with a value for each server that nginx tried.

    ``-`` stands for one without a value; a list of nothing else is None. Raises
    ValueError as `number` does.
    """
    if not isinstance(value, str) or ("," not in value and ":" not in value):
        return number(value)
    values = [number(part.strip(" ")) for part in _SEPARATOR.split(value)]
    known = [each for each in values if each is not None]
    return sum(known) if known else None
