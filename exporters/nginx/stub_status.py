"""Parse the page of ngx_http_stub_status_module: bytes in, seven numbers out.

The page (nginx src/http/modules/ngx_http_stub_status_module.c)::

    Active connections: 2
    server accepts handled requests
     16 16 31
    Reading: 0 Writing: 1 Waiting: 1

openresty, angie and OpenNJet print the same. tengine (every version since
1.2.3, unless built without T_NGX_HTTP_STUB_STATUS) adds ``request_time`` to the second
line and a fourth number to the third: the sum of all request times in milliseconds. It
is read over: no exporter has a name for it (nginx-prometheus-exporter #90 proposed one,
#119 and #314 met the body).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from exporters.nginx.errors import StubStatusError


# client/nginx.go scans into int64; what does not fit there is refused there too.
MAX_VALUE = 2**63 - 1
MAX_DIGITS = len(str(MAX_VALUE))

# Enough of a foreign body to recognise it (an error page, another service) without
# copying a whole page into the log at every scrape, as upstream does.
EXCERPT_BYTES = 80

# Blanks are free within a line, as in Go's Fscanf; line breaks are not.
_ACTIVE = re.compile(rb"Active connections:[ \t]*(-?[0-9]+)\s*")
_HEADER = re.compile(rb"server accepts handled requests([ \t]+request_time)?\s*")
_TOTALS = re.compile(rb"[ \t]*(-?[0-9]+)[ \t]+(-?[0-9]+)[ \t]+(-?[0-9]+)\s*")
_TOTALS_TENGINE = re.compile(
    rb"[ \t]*(-?[0-9]+)[ \t]+(-?[0-9]+)[ \t]+(-?[0-9]+)[ \t]+-?[0-9]+\s*"
)
_STATES = re.compile(
    rb"Reading:[ \t]*(-?[0-9]+)[ \t]+"
    rb"Writing:[ \t]*(-?[0-9]+)[ \t]+"
    rb"Waiting:[ \t]*(-?[0-9]+)\s*"
)

# What nginx prints, to the blank, in numbers that fit whatever they are. To read it at
# once takes 2 us; line by line, where an error can be told, it is 11 us.
_PAGE = re.compile(
    rb"Active connections: ([0-9]{1,18}) \n"
    rb"server accepts handled requests\n"
    rb" ([0-9]{1,18}) ([0-9]{1,18}) ([0-9]{1,18}) \n"
    rb"Reading: ([0-9]{1,18}) Writing: ([0-9]{1,18}) Waiting: ([0-9]{1,18}) \n"
)


class StubStatus(NamedTuple):
    """The numbers of one stub_status page, named as nginx documents them."""

    active: int
    accepted: int
    handled: int
    requests: int
    reading: int
    writing: int
    waiting: int


def parse_stub_status(body: bytes) -> StubStatus:
    """Return the numbers in *body*.

    Carriage returns, a missing last newline and anything after the fourth line are
    tolerated, as upstream tolerates them. Raises StubStatusError, and nothing else,
    naming the line, what stands there and what was expected.
    """
    whole = _PAGE.fullmatch(body)
    if whole is not None:
        return StubStatus._make(map(int, whole.groups()))
    lines = [*body.split(b"\n", 4)[:4], b"", b"", b"", b""]
    (active,) = _numbers(_ACTIVE, lines, 1, "'Active connections: N'")
    header = _match(_HEADER, lines, 2, "'server accepts handled requests'")
    if header[1] is None:
        totals = _numbers(_TOTALS, lines, 3, "three numbers")
    else:
        totals = _numbers(_TOTALS_TENGINE, lines, 3, "four numbers")
    states = _numbers(_STATES, lines, 4, "'Reading: N Writing: N Waiting: N'")
    return StubStatus(active, *totals, *states)


def _match(
    pattern: re.Pattern[bytes], lines: list[bytes], number: int, expected: str
) -> re.Match[bytes]:
    line = lines[number - 1]
    match = pattern.fullmatch(line)
    if match is None:
        raise StubStatusError(
            f"body, line {number}: expected {expected}, got {excerpt(line)}"
        )
    return match


def _numbers(
    pattern: re.Pattern[bytes], lines: list[bytes], number: int, expected: str
) -> tuple[int, ...]:
    groups = _match(pattern, lines, number, expected).groups()
    return tuple(_number(digits, number) for digits in groups)


def _number(digits: bytes, line: int) -> int:
    # nginx never prints a negative number: it would be another program's page, and
    # a counter below zero is an error in Prometheus. The length is looked at first
    # because int() of a very long text is slow, and refused past 4300 digits.
    if len(digits) <= MAX_DIGITS and 0 <= (value := int(digits)) <= MAX_VALUE:
        return value
    raise StubStatusError(
        f"body, line {line}: expected a number from 0 to {MAX_VALUE}, "
        f"got {excerpt(digits)}"
    )


def excerpt(data: bytes) -> str:
    """Return the beginning of *data* quoted on one line, for an error text."""
    text = ascii(data[:EXCERPT_BYTES].decode("utf-8", "replace"))
    return f"{text}..." if len(data) > EXCERPT_BYTES else text
