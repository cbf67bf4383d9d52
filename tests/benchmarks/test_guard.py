"""No piece that runs for every sample or line becomes much dearer unnoticed.

Instructions and ratios, never a time: see guard.py. `python -m tests.benchmarks` writes
down anew what is allowed, in guard.tsv.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from tests.benchmarks import guard, pieces
from tests.benchmarks.guard import Cost, Piece


WRITE = "`python -m tests.benchmarks` writes down what the pieces cost"


@pytest.mark.parametrize("name", pieces.ALL)
def test_a_piece_costs_what_is_written_down(name: str, tmp_path: Path) -> None:
    allowed = guard.read()[name]
    found = guard.cost(pieces.ALL[name](tmp_path), allowed)
    assert found.over(allowed) == [], f"meant? {WRITE}"
    assert not found.stale(allowed), f"it became cheaper, well done: {WRITE}"


def test_each_piece_is_written_down() -> None:
    assert list(guard.read()) == list(pieces.ALL)


@pytest.mark.parametrize("name", ["frames", "push"])
def test_twice_the_work_is_noticed_in_both_numbers(name: str, tmp_path: Path) -> None:
    once = pieces.ALL[name](tmp_path)
    assert len(guard.cost(twice(once)).over(guard.undisturbed(once))) == 2


def test_work_in_c_is_noticed_in_the_ratio(tmp_path: Path) -> None:
    once = pieces.push(tmp_path)
    data = bytes(1 << 20)  # to hash it takes some times as long as the piece

    def slower() -> None:
        once.run()
        hashlib.sha256(data).digest()

    (problem,) = guard.cost(once._replace(run=slower)).over(guard.undisturbed(once))
    assert problem.startswith("ratio ")


def twice(piece: Piece) -> Piece:
    return piece._replace(run=lambda: (piece.run(), piece.run()))


def test_the_steps_are_the_same_at_each_run(tmp_path: Path) -> None:
    run = pieces.frames(tmp_path).run
    run()
    assert guard.steps(run) == guard.steps(run)
    before = sys.gettrace()
    assert guard.steps(run) > pieces.LINES
    assert sys.gettrace() is before


@pytest.mark.parametrize(
    ("found", "problems", "stale"),
    [
        (Cost(100, 1.0), 0, False),
        (Cost(129, 1.59), 0, False),
        (Cost(131, 1.0), 1, False),
        (Cost(100, 1.61), 1, False),
        (Cost(200, 2.0), 2, False),
        (Cost(66, 0.5), 0, False),
        (Cost(65, 1.0), 0, True),
        (Cost(100, 0.49), 0, True),
    ],
)
def test_margins(found: Cost, problems: int, stale: bool) -> None:
    allowed = Cost(100, 1.0)
    assert len(found.over(allowed)) == problems
    assert found.stale(allowed) is stale


def test_what_is_written_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "ALLOWED", tmp_path / "guard.tsv")
    guard.write({"a": Cost(123456, 1.234), "b": Cost(99, 10.0)})
    assert guard.read() == {"a": Cost(123000, 1.23), "b": Cost(99, 10.0)}
