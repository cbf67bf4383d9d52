"""A table with a column for each way to read a log, and its ratio to the first."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Column(NamedTuple):
    """What was measured of one program: for each row the values of the rounds."""

    name: str
    rows: Mapping[str, Sequence[float]]


def show(columns: Sequence[Column]) -> str:
    """Return the medians of *columns* side by side.

    Behind each but the first, ours, stands the ratio ours / theirs: the median of the
    rounds and in brackets the least and the greatest.
    """
    ours = columns[0]
    cells = [["", *(column.name for column in columns)]]
    for title, mine in ours.rows.items():
        line = [title, number(statistics.median(mine))]
        line += [_beside(mine, column.rows.get(title)) for column in columns[1:]]
        cells.append(line)
    widths = [max(map(len, each)) for each in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    )


def _beside(mine: Sequence[float], theirs: Sequence[float] | None) -> str:
    if not theirs:
        return ""
    ratios = [a / b for a, b in zip(mine, theirs, strict=True) if b]
    text = number(statistics.median(theirs))
    if not ratios:
        return text
    spread = f"{min(ratios):.2f}-{max(ratios):.2f}"
    return f"{text} ({statistics.median(ratios):.2f}, {spread})"


def number(value: float) -> str:
    """Return *value* with as many digits as one reads."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
