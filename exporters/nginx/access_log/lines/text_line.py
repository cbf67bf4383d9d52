"""Read a line that was written by a ``log_format`` of nginx.

The format becomes one regular expression. Each variable takes everything up to the
character behind it, and nothing is ever given back (``*+``): the time is linear in the
length of the line.
Upstream counterpart: satyrius/gonx ``parser.go``, which prometheus-nginxlog-exporter
uses.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from exporters.nginx.access_log.lines.layout import Layout, layout
from exporters.nginx.access_log.lines.relabel import Rule
from exporters.toolkit.errors import StartError


_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)
# A quotation mark in a value is \x22, or \" with escape=json, which ends nothing.
_QUOTED: Final = r'[^"\\]*+(?:\\.[^"\\]*+)*+'
# One value for each server that was tried: "0.1, 0.2", and " : " where nginx went on
# to another group of servers (ngx_http_upstream_response_time_variable).
_LIST: Final = r"[^ ]*+(?:(?:(?<=,) | : )[^ ]*+)*+"
# Where nothing stands between a variable and the next, the kind of value must tell
# them apart. gonx gives the first of them everything.
_SHAPES: Final = (
    (re.compile(r"status|msec|\w*_(?:time|length|port)|\w*bytes_sent"), r"[0-9.]*+"),
    (re.compile(r"(?:http_)?host|server_name|(?:remote|server)_addr"), r"[^/ ]*+"),
)


class TextReader:
    """Read lines of *log_format* for the labels of *rules*.

    Raises StartError for a format without variables.
    """

    def __init__(self, log_format: str, rules: Sequence[Rule]) -> None:
        pieces = _VARIABLE.split(log_format.rstrip(" "))
        variables = [a or b for a, b in zip(pieces[1::3], pieces[2::3], strict=True)]
        if not variables:
            raise StartError(
                f"access log format {log_format!r}: expected variables, like $status"
            )
        self._variables, self._literals = variables, pieces[3::3]
        self._layout = layout(
            rules, {name: place for place, name in enumerate(variables)}
        )
        self._parts = [re.escape(pieces[0])]
        shapes = _shapes(variables, self._literals)
        for shape, behind in zip(shapes, self._literals, strict=True):
            self._parts.append(f"({shape}){re.escape(behind)}")
        self._match = re.compile("".join(self._parts), re.DOTALL).match

    def read(self, line: bytes) -> tuple[Layout, tuple[str, ...]] | None:
        """Return the variables of *line*; None if it has another format.

        What stands behind the end of the format does not matter, as with gonx.
        """
        found = self._match(line.decode("utf-8", "replace"))
        return None if found is None else (self._layout, found.groups())

    def why_not(self, line: bytes) -> str:
        """Say why *line* cannot be read, without showing any of it."""
        text = line.decode("utf-8", "replace")
        for end in range(len(self._parts) - 1, 0, -1):
            if re.match("".join(self._parts[:end]), text, re.DOTALL):
                variable, behind = self._variables[end - 1], self._literals[end - 1]
                return f"expected {behind!r} behind ${variable}"
        return "expected the beginning of the configured format"


def _shapes(variables: Sequence[str], literals: Sequence[str]) -> list[str]:
    """Return a pattern for the value of each variable; *literals* stand behind them."""
    shapes: list[str] = []
    end = " "  # what gonx ends the last one with
    for variable, behind in zip(reversed(variables), reversed(literals), strict=True):
        is_apart = bool(behind) or not shapes
        end = behind[:1] or end
        shapes.append(
            _shape(variable, end, behind) if is_apart else _close(variable, end)
        )
    return shapes[::-1]


def _shape(variable: str, end: str, behind: str) -> str:
    if end == '"':
        return _QUOTED
    if end == " " and variable.startswith("upstream_") and behind[:3] != " : ":
        return _LIST
    return f"[^{re.escape(end)}]*+"


def _close(variable: str, end: str) -> str:
    """Return the pattern of a variable that another one follows at once."""
    for names, shape in _SHAPES:
        if names.fullmatch(variable):
            return shape
    return f"[^{re.escape(end)}]*+"
