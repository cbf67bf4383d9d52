"""When an expression is evaluated, and what comes out."""

from __future__ import annotations

import math
from typing import NamedTuple

from shipper.pipeline.entry import Labels


class Steps(NamedTuple):
    """When an expression is evaluated, in nanoseconds: first, last, distance."""

    start: int
    end: int
    step: int

    def aligned(self) -> Steps:
        """Return the steps at multiples of their distance, around these.

        So a dashboard that is asked again a little later shows the same points.
        """
        first, last = self.start // self.step, -(-self.end // self.step)
        return Steps(first * self.step, last * self.step, self.step)

    def times(self) -> range:
        """Return the times of evaluation."""
        return range(self.start, self.end + 1, self.step)

    def piece(self, range_ns: int) -> int:
        """Return the longest time that windows of *range_ns* are made up of."""
        alone = self.start + self.step > self.end
        return range_ns if alone else math.gcd(self.step, range_ns)


class Series(NamedTuple):
    """Values by number of the step; a step without lines has none."""

    labels: Labels
    values: dict[int, float]
