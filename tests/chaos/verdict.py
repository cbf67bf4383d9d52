"""What was found against what was kept, and the table of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .kept import Kept
from .readback import Found


STOP_LIMIT_SECONDS = 10.0
MEMORY_LIMIT_MIB = 100.0


@dataclass
class Tally:
    """Sums over the streams of one scenario, in lines."""

    written: int = 0
    kept: int = 0
    found: int = 0
    missing: int = 0
    duplicated: int = 0
    out_of_order: int = 0
    examples: list[str] = field(default_factory=list)

    def add(
        self, what: str, written: int, kept: Kept, found: Found, *, holes: bool
    ) -> None:
        """Count one stream; with *holes* only what *kept* holds can be missing.

        Otherwise the container went on after *kept* was taken down, and was removed: a
        line before one that was found had to be there, too.
        """
        numbers = set(found.numbers)
        wanted = set(kept.numbers)
        self.written += max(written, max(numbers, default=0))
        self.kept += len(wanted)
        self.found += len(numbers)
        if not holes:
            wanted.update(range(1, max(numbers, default=0) + 1))
        missing = wanted - numbers
        self.missing += len(missing)
        self.duplicated += len(found.numbers) - len(numbers)
        disorder = out_of_order(found, kept.ranks())
        self.out_of_order += disorder
        if missing or disorder or len(found.numbers) != len(numbers):
            self.examples.append(self._example(what, missing, found, disorder))

    @staticmethod
    def _example(what: str, missing: set[int], found: Found, disorder: int) -> str:
        seen: set[int] = set()
        twice = {n for n in found.numbers if n in seen or seen.add(n)}  # type: ignore[func-returns-value]
        return (
            f"{what}: missing {ranges(missing)}, twice {ranges(twice)}, "
            f"out of order {disorder}"
        )


def out_of_order(found: Found, ranks: dict[int, int] | None) -> int:
    """Return how many lines come after one that they belong before.

    Lines of one instant may come in any order; one that comes again is not counted.
    """
    highest, instant, count = -1, 0, 0
    seen: set[int] = set()
    for number, time_ns in zip(found.numbers, found.times, strict=True):
        if number in seen:
            continue
        seen.add(number)
        rank = number if ranks is None else ranks.get(number, number)
        if rank >= highest:
            highest, instant = rank, time_ns
        elif time_ns != instant:
            count += 1
    return count


def ranges(numbers: Iterable[int], most: int = 4) -> str:
    """Return *numbers* as a few ranges for a person to read."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    texts = [f"{a}-{b}" if b > a else f"{a}" for a, b in parts[:most]]
    return ", ".join(texts + ["…"] * (len(parts) > most)) or "none"


@dataclass
class Row:
    """One scenario's line of the table; *failures* are the targets it missed."""

    scenario: str
    tally: Tally = field(default_factory=Tally)
    gaps: int = 0
    peak_mib: float = 0.0
    lag: float = 0.0
    seconds: float = 0.0
    longest_stop: float = 0.0
    lives: int = 1
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    skipped: str = ""
    log: str = ""

    def judge(self, *, docker_loses: bool, memory: bool) -> None:
        """Add what misses its target."""
        tally = self.tally
        for name in ("missing", "duplicated", "out_of_order"):
            if value := getattr(tally, name):
                self.failures.append(f"{value} {name.replace('_', ' ')}")
        lost = tally.written - tally.found
        if docker_loses and lost > 0 and not self.gaps:
            self.failures.append(f"{lost} lost by Docker, no gap counted")
        if not docker_loses and self.gaps:
            self.notes.append("gaps counted where Docker lost nothing")
        if self.longest_stop >= STOP_LIMIT_SECONDS:
            self.failures.append("a stop took too long")
        if memory and self.peak_mib >= MEMORY_LIMIT_MIB:
            self.failures.append(f"{self.peak_mib:.0f} MiB of memory")

    def cells(self) -> tuple[str, ...]:
        """Return the cells of the table."""
        if self.skipped:
            return (self.scenario, *[""] * (len(HEADINGS) - 2), self.skipped)
        tally = self.tally
        counts = (
            tally.written, tally.kept, tally.found, tally.missing, tally.duplicated,
            tally.out_of_order, self.gaps,
        )  # fmt: skip
        numbers = (
            f"{self.peak_mib:.0f}", f"{self.lag:.1f}", f"{self.longest_stop:.1f}",
            f"{self.seconds:.0f}",
        )  # fmt: skip
        notes = [f"**{text}**" for text in self.failures] + self.notes
        if self.lives > 1:
            notes.append(f"{self.lives} lives")
        cells = (*(f"{count:,}" for count in counts), *numbers, "; ".join(notes))
        return (self.scenario, *cells)


HEADINGS = (
    "scenario", "written", "kept", "found", "missing", "duplicated", "out of order",
    "gaps", "peak MiB", "longest lag s", "longest stop s", "seconds", "notes",
)  # fmt: skip


def plain(rows: Sequence[Row]) -> str:
    """Return the table as aligned text, numbers to the right."""
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    last = len(HEADINGS) - 1
    return "\n".join(
        "  ".join(
            cell.rjust(width) if 0 < index < last else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def markdown(rows: Sequence[Row]) -> str:
    """Return the table for the docs."""
    rule = ["---", *["---:"] * (len(HEADINGS) - 2), "---"]
    lines = [HEADINGS, rule, *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
