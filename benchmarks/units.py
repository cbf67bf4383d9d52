"""Units of what is measured: how a number is printed, and its name in a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit; calling it gives the text of a value in seconds, bytes or pieces."""

    name: str
    factor: float = 1.0
    digits: int = 2

    def __call__(self, value: float) -> str:
        """Return *value* with separators and the unit."""
        return f"{value * self.factor:,.{self.digits}f} {self.name}".rstrip()


seconds = Unit("s")
milliseconds = Unit("ms", 1e3)
microseconds = Unit("µs", 1e6)
mebibytes = Unit("MiB", 1 / 2**20)
kibibytes = Unit("KiB", 1 / 2**10, 1)
count = Unit("", digits=0)
# A relation of two values, as of two slopes.
times = Unit("x")
per_second = Unit("/s", digits=0)

NAMED = {
    unit.name: unit
    for unit in (
        seconds,
        milliseconds,
        microseconds,
        mebibytes,
        kibibytes,
        count,
        times,
        per_second,
    )
}
