"""A scrape costs less CPU than the original's: the coarse end of the guard.

The targets are half of it and less (`make bench`); here is only what no busy machine
can upset.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import programs
from benchmarks.measure import Pair, Plan, scrapes


PLAN = Plan(scrapes=40, rounds=10)
ATTEMPTS = 3


def needs(variable: str) -> str:
    """Return the program in $*variable*, or skip."""
    path = os.environ.get(variable, "")
    if not os.access(path, os.X_OK):
        pytest.skip(f"${variable} names no program: `make unit` sets it")
    return path


def ratio(pair: Pair, folder: Path) -> float:
    """Return the CPU of our scrape divided by theirs."""
    ours, theirs = scrapes(pair, PLAN, folder, ["gzip"]).series["gzip"]
    return statistics.median(a / b for a, b in zip(ours.cpu, theirs.cpu, strict=True))


def at_best(measure: Callable[[], float], enough: float = 1.0) -> float:
    """Return the least of a few ratios, the first that is below *enough*."""
    best = measure()
    for _ in range(1, ATTEMPTS):
        if best < enough:
            break
        best = min(best, measure())
    return best


@pytest.mark.oracle
def test_node(tmp_path: Path) -> None:
    theirs = needs("NODE_EXPORTER")
    pair, _ = programs.node_pair(programs.interpreter(), theirs)
    assert at_best(lambda: ratio(pair, tmp_path)) < 1


@pytest.mark.oracle
def test_nginx(tmp_path: Path) -> None:
    theirs = needs("NGINX_EXPORTER_SID")  # ours tells of itself as 1.x does
    needs("NGINX")
    with programs.running_nginx(tmp_path) as ports:
        pair = programs.nginx_pair(programs.interpreter(), theirs, ports)
        assert at_best(lambda: ratio(pair, tmp_path)) < 1


def test_one_bad_attempt_is_forgiven() -> None:
    found = iter((1.4, 0.6, 2.0))
    assert at_best(lambda: next(found)) == 0.6
    assert list(found) == [2.0]
    found = iter((1.4, 1.2, 1.3, 0.1))
    assert at_best(lambda: next(found)) == 1.2
    assert list(found) == [0.1]
