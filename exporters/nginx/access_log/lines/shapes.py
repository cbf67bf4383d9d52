r"""How far the value of each variable of a text format reaches.

A value ends where all of the text comes that stands behind its variable: ``a b`` is
a user in ``a b [03/Feb``. Nothing is ever given back (``*+``), so the time is linear in
the length of the line.
satyrius/gonx, which prometheus-nginxlog-exporter uses, ends a value at the first
character of that text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final


# One value for each server that was tried: "0.1, 0.2", and " : " where nginx went on
# to another group of servers (ngx_http_upstream_response_time_variable).
_LIST: Final = r"[^ ]*+(?:(?:(?<=,) | : )[^ ]*+)*+"
_IS_LIST: Final = re.compile(r"upstream_(?:addr|status|bytes_\w+|\w*time|\w*length)")
# What may hold blanks although a blank is all that follows. A request without
# "HTTP/" is one of HTTP/0.9, or no HTTP at all.
_BLANKS: Final = (
    (re.compile(r"time_local"), r"[^ ]*+(?: [+-]\d{4})?+"),
    (
        re.compile(r"request"),
        r"(?>.*? HTTP/\d(?:\.\d)?(?= )|[A-Z]+ /[^ ]*+|[^ ]*+)",
    ),
    (re.compile(r"\w*x_forwarded_for"), _LIST),
)
# Where nothing stands between a variable and the next, the kind of value must tell
# them apart. gonx gives the first of them everything.
_CLOSE: Final = (
    (re.compile(r"status|msec|\w*_(?:time|length|port)|\w*bytes_sent"), r"[0-9.]*+"),
    (re.compile(r"(?:http_)?host|server_name|(?:remote|server)_addr"), r"[^/ ]*+"),
)


def shapes(variables: Sequence[str], literals: Sequence[str]) -> list[str]:
    """Return a pattern for the value of each variable; *literals* stand behind them."""
    found: list[str] = []
    end = " "  # what gonx ends the last one with
    for variable, behind in zip(reversed(variables), reversed(literals), strict=True):
        is_apart = bool(behind) or not found
        end = behind or end
        found.append(_up_to(variable, end) if is_apart else _close(variable, end))
    return found[::-1]


def _up_to(variable: str, end: str) -> str:
    if end[0] == " " and end[:3] != " : " and _IS_LIST.fullmatch(variable):
        return _LIST
    if end == " ":
        for names, shape in _BLANKS:
            if names.fullmatch(variable):
                return shape
    first, more = re.escape(end[0]), f"(?!{re.escape(end[1:])})"
    if end[0] == '"':
        # A quotation mark in a value is \x22, or \" with escape=json, which ends
        # nothing.
        inner = rf"\\.|{first}{more}" if end[1:] else r"\\."
        return rf"[^\\{first}]*+(?:(?:{inner})[^\\{first}]*+)*+"
    inner = rf"(?:{first}{more}[^{first}]*+)*+" if end[1:] else ""
    return f"[^{first}]*+{inner}"


def _close(variable: str, end: str) -> str:
    """Return the pattern of a variable that another one follows at once."""
    for names, shape in _CLOSE:
        if names.fullmatch(variable):
            return shape
    return f"[^{re.escape(end[0])}]*+"
