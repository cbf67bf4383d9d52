"""Lay out the text of ``--help`` and ``--help-man``.

Upstream counterpart: kingpin ``usage.go`` and ``templates.go``.
"""

from __future__ import annotations

import shutil
import textwrap
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
    return shutil.get_terminal_size((_DEFAULT_WIDTH, 24)).columns


def placeholder(name: str, defaults: Sequence[Any], *, is_duration: bool) -> str:
    """Return what stands after ``=`` in the help: the default, or the name."""
    if not defaults or defaults[0] in {"", None}:
        return '""' if defaults else name.upper()
    first = defaults[0]
    if isinstance(first, str):
        text = quote(first) if len(defaults) == 1 else first
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
    return textwrap.wrap(
        text,
        max(columns, 1),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _flag(row: Row) -> str:
    name = f"[no-]{row.name}" if row.value is None else f"{row.name}={row.value}"
    front = f"-{row.short}, --" if row.short else "    --"
    return front + name + (" ..." if row.repeatable else "")


def _help(row: Row) -> str:
    return f"{row.help} (${row.env})" if row.env else row.help


def man_page(program: str, about: str, rows: Sequence[Row]) -> str:
    """Return the help as roff (``--help-man``)."""
    lines = [
        f'.TH {program} 1  ""',
        '.SH "NAME"',
        program,
        '.SH "SYNOPSIS"',
        ".TP",
        f"\\fB{program} [<flags>]\\fR",
        '.SH "DESCRIPTION"',
        about,
        '.SH "OPTIONS"',
    ]
    for row in rows:
        short = f"-{row.short}, " if row.short else ""
        value = "" if row.value is None else f"={row.value}"
        lines += [".TP", f"\\fB{short}--{row.name}{value}\\fR", row.help]
    return "\n".join(lines) + "\n"
