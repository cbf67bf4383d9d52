"""What a piece of our code costs, told so that every machine tells the same.

Two numbers, neither of them a time:

- **steps**: instructions of the interpreter, counted. The same at each run, however
  busy the machine is; they do not see what happens inside a function written in C.
- **ratio**: CPU of the piece / CPU of some fixed work, both the least of many rounds in
  turns, in one process. It sees all; it wavers by some per cent, and from one processor
  or build of Python to the next by more. The fixed work is plain Python and, for a
  piece that reads files, a plain reading of these: the kernel has its own speed.
"""

from __future__ import annotations

import gc
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple


Work = Callable[[], object]

ALLOWED: Final = Path(__file__).with_name("guard.tsv")
ROUNDS: Final = 40
# What a piece may cost more than what is written down for it. Twice is too much for
# both; half of the way there is for other versions and builds of Python.
STEPS_MARGIN: Final = 1.3
RATIO_MARGIN: Final = 1.6


class Cost(NamedTuple):
    """Steps and ratio of one run of a piece."""

    steps: int
    ratio: float

    def over(self, allowed: Cost) -> list[str]:
        """Return a line for each number that is above *allowed* and its margin."""
        found = []
        if self.steps > allowed.steps * STEPS_MARGIN:
            times = self.steps / allowed.steps
            found.append(f"{self.steps:,} steps are {times:.2f} of {allowed.steps:,}")
        if self.ratio > allowed.ratio * RATIO_MARGIN:
            times = self.ratio / allowed.ratio
            found.append(f"ratio {self.ratio:.2f} is {times:.2f} of {allowed.ratio:g}")
        return found

    def stale(self, allowed: Cost) -> bool:
        """Say whether *allowed* is so much that twice this would pass."""
        passes = self.steps * 2 <= allowed.steps * STEPS_MARGIN
        # Of another processor or build it may well be a quarter less.
        return passes or self.ratio * 2 < allowed.ratio


class Piece(NamedTuple):
    """Some of our code, and the fixed work that its ratio is to."""

    run: Work
    fixed: Work


def cost(piece: Piece, allowed: Cost | None = None, attempts: int = 3) -> Cost:
    """Return what one run of *piece* costs, its caches warm.

    A ratio above what is *allowed* is measured again: a busy machine makes it greater,
    nothing makes it less.
    """
    piece.run()
    piece.run()
    found = Cost(steps(piece.run), ratio(piece))
    for _ in range(1, attempts):
        if allowed is None or not found.over(allowed):
            break
        found = found._replace(ratio=min(found.ratio, ratio(piece)))
    return found


def undisturbed(piece: Piece, attempts: int = 3) -> Cost:
    """Return what *piece* costs on a calm machine: the least of some *attempts*."""
    return min((cost(piece) for _ in range(attempts)), key=lambda each: each.ratio)


def read() -> dict[str, Cost]:
    """Return what is written down for each piece."""
    lines = ALLOWED.read_text().splitlines()[1:]
    cells = (line.split("\t") for line in lines)
    return {name: Cost(int(count), float(number)) for name, count, number in cells}


def write(costs: Mapping[str, Cost]) -> None:
    """Write down what each piece costs, the steps to three digits."""
    lines = ["piece\tsteps\tratio"]
    for name, (count, number) in costs.items():
        digits = 2 - int(math.log10(count))
        lines.append(f"{name}\t{round(count, digits)}\t{number:.2f}")
    ALLOWED.write_text("\n".join(lines) + "\n")


def steps(work: Work) -> int:
    """Return how many instructions of the interpreter *work* is."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if event == "opcode":
            count += 1
        else:
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return trace

    before = sys.gettrace()
    with uncollected():
        sys.settrace(trace)
        try:
            work()
        finally:
            sys.settrace(before)
    return count


def ratio(piece: Piece, rounds: int = ROUNDS) -> float:
    """Return the CPU of *piece* divided by that of the fixed piece."""
    least, fixed = float("inf"), float("inf")
    with uncollected():
        for _ in range(rounds):
            fixed = min(fixed, seconds(piece.fixed))
            least = min(least, seconds(piece.run))
    return least / fixed


def seconds(work: Work) -> float:
    """Return the CPU seconds that this thread spends on *work*."""
    begin = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - begin) / 1e9


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector, with the garbage of other tests, out of it."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def calibration() -> int:
    """Do what our code does all day: cut bytes, look up, convert, call, join."""
    seen: dict[bytes, int] = {}
    parts: list[str] = []
    for number in range(400):
        line = b"name_%d value %d\n" % (number % 40, number * 7)
        name, _, rest = line.partition(b" ")
        seen[name] = _last(rest) + seen.get(name, 0)
        parts.append(f"{name.decode()} {seen[name]}\n")
    return len("".join(parts).encode())


def _last(data: bytes) -> int:
    return int(data.split()[-1])


def plain_reading(paths: Sequence[str]) -> Work:
    """Return the fixed work beside a piece that reads the files at *paths*."""

    def read() -> None:
        calibration()
        for path in paths:
            descriptor = os.open(path, os.O_RDONLY)
            os.read(descriptor, 65536)
            os.close(descriptor)

    return read
