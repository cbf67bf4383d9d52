"""Lay out the text of ``--help`` and ``--help-man``.

Upstream counterpart: kingpin ``usage.go`` and ``templates.go``.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .duration import format_go_duration
from .gotext import quote


_INDENT = 2
_PADDING = 2
# kingpin: a flag this long gets a line of its own, its help starts on the next.
_WIDEST_FLAG = 30
_DEFAULT_WIDTH = 80


class Row(NamedTuple):
    """One flag of the help; *value* is None for a boolean."""

    name: str
    help: str
    value: str | None
    short: str
    env: str | None
    repeatable: bool


def width(environ: Mapping[str, str]) -> int:
    """Return the columns to fill: COLUMNS, else the terminal, else 80."""
    columns = environ.get("COLUMNS", "")
    if columns.isdecimal():
        return int(columns)
    # For --help alone, and with it come bz2 and lzma.
    import shutil  # noqa: PLC0415

    return shutil.get_terminal_size((_DEFAULT_WIDTH, 24)).columns


def placeholder(
    name: str,
    defaults: Sequence[Any],
    *,
    is_duration: bool = False,
    repeatable: bool = False,
) -> str:
    """Return what stands after ``=`` in the help: the default, or the name.

    As kingpin, quote the text of a flag that cannot be repeated.
    """
    if not defaults or defaults[0] == "":
        return name.upper()
    first = defaults[0]
    if isinstance(first, str):
        text = first if repeatable else quote(first)
    elif is_duration:
        text = format_go_duration(first)
    else:
        text = f"{first:g}" if isinstance(first, float) else str(first)
    return text + ("..." if len(defaults) > 1 else "")


def render(program: str, about: str, rows: Sequence[Row], columns: int) -> str:
    """Return the whole help text for a terminal *columns* wide."""
    lines = [f"usage: {program} [<flags>]", ""]
    if about:
        lines += [*_wrap(about, columns), ""]
    lines += ["", "Flags:"] if about else ["Flags:"]
    cells = [(_flag(row), _help(row)) for row in rows]
    short_cells = [len(flag) for flag, _ in cells if len(flag) < _WIDEST_FLAG]
    column = max(short_cells, default=0)
    for flag, text in cells:
        lines += _two_columns(flag, text, column, columns)
    return "\n".join(lines) + "\n\n"


def _two_columns(flag: str, text: str, column: int, columns: int) -> list[str]:
    indent = " " * (_INDENT + column + _PADDING)
    wrapped = _wrap(text, columns - len(indent)) or [""]
    head = " " * _INDENT + flag.ljust(column) + " " * _PADDING
    if len(flag) >= _WIDEST_FLAG:
        return [head, *(indent + line for line in wrapped)]
    return [head + wrapped[0], *(indent + line for line in wrapped[1:])]


def _wrap(text: str, columns: int) -> list[str]:
    """Break *text* into lines of at most *columns*, as even as can be.

    Go's printer of help texts (``go/doc/comment`` ``wrap``) keeps the sum of the
    squared gaps small and likes to end a line where a sentence does.
    """
    words = text.split()
    ends = list(itertools.accumulate(len(word) + 1 for word in words))
    # For each number of words: how many columns stick out, the cost, the last break.
    best = [(0, 0, 0)]
    for stop in range(1, len(words) + 1):
        costs = []
        for start in range(stop):
            too_long, cost, _ = best[start]
            room = columns - (ends[stop - 1] - (ends[start - 1] if start else 0) - 1)
            if room < 0:
                too_long -= room
            elif stop < len(words):
                cost += room * room + (0 if words[stop - 1][-1] in ".,:;" else 64)
            costs.append((too_long, cost, start))
        best.append(min(costs))
    lines = []
    stop = len(words)
    while stop:
        start = best[stop][2]
        lines.append(" ".join(words[start:stop]))
        stop = start
    return lines[::-1]


def _flag(row: Row) -> str:
    name = f"[no-]{row.name}" if row.value is None else f"{row.name}={row.value}"
    front = f"-{row.short}, --" if row.short else "    --"
    return front + name + (" ..." if row.repeatable else "")


def _help(row: Row) -> str:
    return f"{row.help} (${row.env})" if row.env else row.help


def man_page(program: str, about: str, version: str, rows: Sequence[Row]) -> str:
    """Return the help as roff (``--help-man``)."""
    lines = [
        f'.TH {program} 1 {version} ""',
        '.SH "NAME"',
        program,
        '.SH "SYNOPSIS"',
        ".TP",
        f"\\fB{program} [<flags>]\\fR",
        "",
        '.SH "DESCRIPTION"',
        about,
        '.SH "OPTIONS"',
    ]
    for row in rows:
        short = f"-{row.short}, " if row.short else ""
        value = "" if row.value is None else f"={row.value}"
        lines += [".TP", f"\\fB{short}--{row.name}{value}\\fR", row.help]
    return "\n".join(lines) + "\n"
