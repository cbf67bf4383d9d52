"""The arithmetic and the table: many measurements in, a few honest lines out."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial


HEADINGS = ("", "ours", "original", "ratio", "by round")


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that *percent* of *values* do not exceed."""
    if not values:
        raise ValueError("a percentile needs at least one value")
    return sorted(values)[max(0, math.ceil(percent / 100 * len(values)) - 1)]


@dataclass(frozen=True, slots=True)
class Row:
    """One thing measured on both; *rounds* are the ratios of each pair of rounds."""

    title: str
    ours: float
    original: float
    show: Callable[[float], str]
    rounds: tuple[float, ...] = ()

    @property
    def ratio(self) -> float:
        return self.ours / self.original if self.original else math.nan

    def cells(self) -> tuple[str, ...]:
        """Return the cells of this row as they are printed."""
        spread = f"{min(self.rounds):.2f}-{max(self.rounds):.2f}" if self.rounds else ""
        show = self.show
        return (
            self.title,
            show(self.ours),
            show(self.original),
            f"{self.ratio:.2f}",
            spread,
        )


def paired(
    title: str,
    ours: Sequence[float],
    original: Sequence[float],
    show: Callable[[float], str],
) -> Row:
    """Return the row of the medians of *ours* and *original*.

    They are values of rounds that were run in pairs, so each pair has its ratio.
    """
    rounds = tuple(a / b for a, b in zip(ours, original, strict=True) if b)
    return Row(
        title, statistics.median(ours), statistics.median(original), show, rounds
    )


def scaled(value: float, factor: float, unit: str) -> str:
    """Return *value* times *factor* with two digits after the point and *unit*."""
    return f"{value * factor:.2f} {unit}"


milliseconds = partial(scaled, factor=1e3, unit="ms")
mebibytes = partial(scaled, factor=1 / 2**20, unit="MiB")


def count(value: float) -> str:
    """Return a whole number with separators."""
    return f"{value:,.0f}"


def table(rows: Sequence[Row]) -> str:
    """Return *rows* as aligned text, numbers to the right."""
    cells = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    )
