"""What a part of the benchmark is given, and what it gives: sections of the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import Plan
from benchmarks.programs import Interpreter
from benchmarks.summary import Row


class Setting(NamedTuple):
    """How to run a part: *folder* is for files, and goes away after it."""

    python: Interpreter
    plan: Plan
    folder: Path


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of one piece of work beside one original; *about* says what ran."""

    title: str
    peer: str
    about: str
    rows: tuple[Row, ...]


# It raises LeftOutError for what cannot run here, BenchmarkError for what went wrong.
Part = Callable[[Setting], Iterator[Section]]
