"""What is kept of the lines of one series."""

from __future__ import annotations

from array import array


class Points:
    """The values of one series by time."""

    __slots__ = ("ordered", "times", "values")

    def __init__(self) -> None:
        self.times = array("q")
        self.values = array("d")
        self.ordered = True

    def add(self, time: int, value: float) -> None:
        """Keep *value*."""
        if self.times and time < self.times[-1]:
            self.ordered = False
        self.times.append(time)
        self.values.append(value)

    def sort(self) -> None:
        """Put values of several streams in order."""
        if not self.ordered:
            order = sorted(range(len(self.times)), key=self.times.__getitem__)
            self.times = array("q", [self.times[n] for n in order])
            self.values = array("d", [self.values[n] for n in order])
            self.ordered = True


class Pieces:
    """Sums per piece of time."""

    __slots__ = ("sums",)

    def __init__(self) -> None:
        self.sums: dict[int, float] = {}

    def points(self) -> Points:
        """Return the running total at the end of each piece."""
        points = Points()
        for end in sorted(self.sums):
            points.add(end, self.sums[end])
        return points
