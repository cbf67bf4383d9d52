"""Read a line that was written by a ``log_format`` of nginx.

The format becomes one regular expression, whose parts are in `shapes`.
Upstream counterpart: satyrius/gonx ``parser.go``, which prometheus-nginxlog-exporter
uses.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from exporters.nginx.access_log.lines.layout import Layout, layout
from exporters.nginx.access_log.lines.log_format import line_format
from exporters.nginx.access_log.lines.relabel import Rule
from exporters.nginx.access_log.lines.shapes import shapes
from exporters.toolkit.errors import StartError


_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)


class TextReader:
    """Read lines of *log_format*, as `line_format` takes it, for the labels of *rules*.

    Raises StartError for a format without variables.
    """

    def __init__(self, log_format: str, rules: Sequence[Rule]) -> None:
        pieces = _VARIABLE.split(line_format(log_format).rstrip(" "))
        variables = [a or b for a, b in zip(pieces[1::3], pieces[2::3], strict=True)]
        if not variables:
            raise StartError(
                f"access log format {log_format!r}: expected variables, like $status, "
                "not the name of a log_format"
            )
        self._variables, self._literals = variables, pieces[3::3]
        self._layout = layout(
            rules, {name: place for place, name in enumerate(variables)}
        )
        self._parts = [re.escape(pieces[0])]
        found = shapes(variables, self._literals)
        for shape, behind in zip(found, self._literals, strict=True):
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
