"""The arithmetic and the table: many measurements in, a few honest lines out."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from benchmarks.units import Unit


HEADINGS = ("", "ours", "original", "ratio", "by round", "target", "")
# What stands where a value has not been measured.
MISSING = "-"
# A 99th percentile of fewer values is their maximum: no smaller block is made.
BLOCK = 100
BLOCKS = 5


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that *percent* of *values* do not exceed."""
    if not values:
        raise ValueError("a percentile needs at least one value")
    return sorted(values)[max(0, math.ceil(percent / 100 * len(values)) - 1)]


class Target(NamedTuple):
    """What is asked of a row: a ratio to the original, a value of ours, or both."""

    ratio: float = math.inf
    ours: float = math.inf
    # The ratio is to be at least this: where more is better.
    at_least: float = -math.inf

    def met(self, row: Row) -> bool | None:
        """Say whether *row* is within; None where what is asked was not measured."""
        asks_ratio = self.ratio < math.inf or self.at_least > -math.inf
        if asks_ratio and math.isnan(row.ratio):
            return None
        within = not asks_ratio or self.at_least <= row.ratio <= self.ratio
        return within and row.ours <= self.ours

    def text(self, unit: Unit) -> str:
        """Return the target as it is printed; *unit* is that of the row."""
        parts = []
        if self.at_least > -math.inf:
            parts.append(f"≥ {self.at_least:g}")
        if self.ratio < math.inf:
            parts.append(f"≤ {self.ratio:g}")
        if self.ours < math.inf:
            number = f"{self.ours * unit.factor:g}"
            parts.append(f"≤ {number} {unit.name}".rstrip())
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Row:
    """One thing measured on both; *rounds* are the ratios of each pair of rounds.

    *original* is NaN where there was none to measure.
    """

    title: str
    ours: float
    original: float
    show: Unit
    rounds: tuple[float, ...] = ()
    target: Target | None = None

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios; without rounds that of the two values."""
        if self.rounds:
            return statistics.median(self.rounds)
        return self.ours / self.original if self.original else math.nan

    @property
    def verdict(self) -> str:
        """``met``, ``missed``, ``open`` where it cannot be said, or nothing asked."""
        if self.target is None:
            return ""
        return {True: "met", False: "missed", None: "open"}[self.target.met(self)]

    def aim(self, target: Target | None) -> Row:
        """Return this row with a target."""
        return replace(self, target=target)

    def cells(self) -> tuple[str, ...]:
        """Return the cells of this row as they are printed."""
        spread = f"{min(self.rounds):.2f}-{max(self.rounds):.2f}" if self.rounds else ""
        return (
            self.title,
            _known(self.ours, self.show),
            _known(self.original, self.show),
            _known(self.ratio, "{:.2f}".format),
            spread,
            self.target.text(self.show) if self.target else "",
            self.verdict,
        )


def _known(value: float, show: Callable[[float], str]) -> str:
    return MISSING if math.isnan(value) else show(value)


def paired(
    title: str, ours: Sequence[float], original: Sequence[float], show: Unit
) -> Row:
    """Return the row of the medians of *ours* and *original*.

    They are values of rounds that were run in pairs, so each pair has its ratio. An
    empty *original* is one that was not there.
    """
    if not original:
        return Row(title, statistics.median(ours), math.nan, show)
    rounds = tuple(a / b for a, b in zip(ours, original, strict=True) if b)
    return Row(
        title, statistics.median(ours), statistics.median(original), show, rounds
    )


def tail(
    title: str, ours: Sequence[float], original: Sequence[float], show: Unit
) -> Row:
    """Return the row of the 99th percentiles of *ours* and *original*.

    Each is taken of up to five stretches of a hundred values and more, so that a
    moment in which the machine did something else is in one of them alone. A single
    stretch has no spread to show.
    """
    mine = [percentile(block, 99) for block in blocks(ours)]
    theirs = [percentile(block, 99) for block in blocks(original)]
    row = paired(title, mine, theirs, show)
    return row if len(mine) > 1 else replace(row, rounds=())


def blocks(values: Sequence[float]) -> list[Sequence[float]]:
    """Return *values* in up to five stretches, none of fewer than a hundred."""
    number = min(BLOCKS, max(1, len(values) // BLOCK))
    edges = [index * len(values) // number for index in range(number + 1)]
    return [values[begin:end] for begin, end in itertools.pairwise(edges)]


def table(rows: Sequence[Row]) -> str:
    """Return *rows* as aligned text, numbers to the right."""
    wanted = len(HEADINGS) if any(row.target for row in rows) else -2
    lines = [HEADINGS, *(row.cells() for row in rows)]
    return aligned([line[:wanted] for line in lines])


def aligned(lines: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return *lines* of cells in columns: the first *left* to the left."""
    columns = list(zip(*lines, strict=True))
    widths = [max(map(len, column)) for column in columns]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index < left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
