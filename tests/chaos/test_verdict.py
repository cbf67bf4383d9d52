"""The judge itself: what is missing, twice or out of order must be seen."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest

from tests.chaos.kept import Kept, read_log
from tests.chaos.plan import Key, Plan, parse
from tests.chaos.readback import Found
from tests.chaos.verdict import Row, Tally, markdown, out_of_order, plain, ranges


def found(*numbers: int, times: tuple[int, ...] = ()) -> Found:
    return Found(array("l", numbers), array("q", times or range(len(numbers))))


def kept(*numbers: int) -> Kept:
    return Kept(array("l", numbers), [b"%06d" % n for n in range(len(numbers))])


@pytest.mark.parametrize(
    ("wanted", "got", "counts"),
    [
        (kept(1, 2, 3), found(1, 2, 3), (0, 0, 0)),
        (kept(1, 2, 3), found(1, 3), (1, 0, 0)),
        (kept(1, 2, 3), found(), (3, 0, 0)),
        (kept(1, 2, 3), found(1, 2, 2, 3, 1), (0, 2, 0)),
        (kept(1, 2, 3), found(2, 1, 3), (0, 0, 1)),
        (kept(1, 2), found(1, 2, 3, 5), (1, 0, 0)),
    ],
)
def test_each_kind_is_counted(
    wanted: Kept, got: Found, counts: tuple[int, int, int]
) -> None:
    tally = Tally()
    tally.add("w/1/stdout", 3, wanted, got, holes=False)
    assert (tally.missing, tally.duplicated, tally.out_of_order) == counts
    assert bool(tally.examples) == any(counts)
    row = Row("x", tally)
    row.judge(docker_loses=False, memory=True)
    assert bool(row.failures) == any(counts)


def test_what_docker_threw_away_is_not_missing_but_needs_a_gap() -> None:
    tally = Tally()
    tally.add("w/1/stdout", 9, kept(8, 9), found(1, 2, 8, 9), holes=True)
    assert (tally.written, tally.kept, tally.found, tally.missing) == (9, 2, 4, 0)
    silent, told = Row("x", tally), Row("x", tally, gaps=1)
    for row in (silent, told):
        row.judge(docker_loses=True, memory=True)
    assert silent.failures == ["5 lost by Docker, no gap counted"]
    assert told.failures == []


def test_order_is_that_of_time() -> None:
    assert out_of_order(found(1, 2, 3), None) == 0
    assert out_of_order(found(2, 1, times=(5, 5)), None) == 0
    assert out_of_order(found(3, 1, 2), None) == 2
    # The clock was set back after the second line.
    back = Kept(array("l", [1, 2, 3]), [b"2", b"3", b"1"])
    assert back.ranks() == {3: 0, 1: 1, 2: 2}
    assert out_of_order(found(3, 1, 2), back.ranks()) == 0
    assert out_of_order(found(1, 2, 3), back.ranks()) == 1
    assert kept(1, 2).ranks() is None


def test_memory_and_skips_are_told() -> None:
    row = Row("big", peak_mib=120.4)
    row.judge(docker_loses=False, memory=True)
    assert row.failures == ["120 MiB of memory"]
    skipped = Row("none", skipped="skipped: no disk")
    for text in (plain([row, skipped]), markdown([row, skipped])):
        assert "**120 MiB of memory**" in text
        assert "skipped: no disk" in text
    assert len({line.count("|") for line in markdown([row, skipped]).split("\n")}) == 1


def test_ranges() -> None:
    assert ranges([]) == "none"
    assert ranges([3, 1, 2, 7]) == "1-3, 7"
    assert ranges(range(1, 20, 2)) == "1, 3, 5, 7, …"


@pytest.mark.parametrize(
    ("line", "whole"),
    [
        (b"w 2 stderr 17 ;;;\n", True),
        (b"w 2 stderr 17 ;;;\r\n", True),
        (b"w 2 stderr 17 ;;", False),
        (b"w 2 stderr 17", False),
        (b"17 ;;;", False),
        (b"w x stderr 17 ;;;", False),
        (b"w 2 stderr y ;;;", False),
    ],
)
def test_a_line_is_read_only_when_it_is_whole(line: bytes, whole: bool) -> None:
    assert parse(line, 3) == ((Key("w", 2, "stderr"), 17) if whole else None)


def test_the_parts_of_a_long_line_are_one_line(tmp_path: Path) -> None:
    stamp = b"2026-01-01T00:00:00.000000001Z "
    line = b"w 1 stdout 1 " + b";" * 20_000
    path = tmp_path / "log"
    path.write_bytes(stamp + line[:16384] + stamp + line[16384:] + b"\n")
    kept: dict[Key, Kept] = {}
    assert read_log(path, 20_000, kept) == 0
    assert list(kept[Key("w", 1, "stdout")].numbers) == [1]


def test_lines_that_docker_cut_in_two_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"2026 w 1 stdout 1 ;;;\n2027 w 1 stdo\n")
    kept: dict[Key, Kept] = {}
    assert read_log(path, 3, kept) == 1
    assert list(kept[Key("w", 1, "stdout")].numbers) == [1]


def test_a_plan_says_its_rate_and_bounds() -> None:
    plan = Plan("w", 10, rate=2000)
    assert plan.burst == 106
    assert "-v n=10 -v b=106" in plan.script
    assert Plan("w", 10, rate=0).burst == 1
