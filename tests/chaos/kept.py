"""The truth: which lines Docker kept of a container."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from pathlib import Path

from .plan import STREAMS, Key, Plan, parse


# Docker hands on longer lines in parts.
PART_BYTES = 16384


@dataclass
class Kept:
    """The numbers of one key in Docker's order, with Docker's times as text."""

    numbers: array[int] = field(default_factory=lambda: array("l"))
    stamps: list[bytes] = field(default_factory=list)

    def ranks(self) -> dict[int, int] | None:
        """Return each number's place in the order of time; None where it is its own.

        Docker's clock may have been set back while the lines were written.
        """
        if all(a <= b for a, b in zip(self.stamps, self.stamps[1:], strict=False)):
            return None
        order = sorted(range(len(self.stamps)), key=self.stamps.__getitem__)
        return {self.numbers[place]: rank for rank, place in enumerate(order)}


def read_log(path: Path, pad: int, kept: dict[Key, Kept]) -> int:
    """Add the lines that ``docker logs -t`` wrote to *path* to *kept*.

    Returns how many are not whole: those that an end cut in two, of a container or of
    the daemon that was reading them.
    """
    broken = 0
    with path.open("rb") as file:
        for row in file:
            stamp, _, line = row.partition(b" ")
            if len(line) > PART_BYTES:
                # Each part of a long line has the time before it.
                line = line.replace(stamp + b" ", b"")  # the same line
            found = parse(line, pad)
            if found is None:
                broken += 1
            else:
                one = kept.setdefault(found[0], Kept())
                one.numbers.append(found[1])
                one.stamps.append(stamp)
    return broken


def everything(plan: Plan) -> dict[Key, Kept]:
    """Return what a container that cannot be asked must have written."""
    numbers = range(1, plan.lines + 1)
    return {Key(plan.name, 1, s): Kept(array("l", numbers)) for s in STREAMS}
