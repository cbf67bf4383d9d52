from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from shipper.files.ledger import (
    Ledger,
    format_trail,
    parse_trail,
    position_key,
)
from shipper.files.place import Place
from shipper.pipeline.entry import Entry
from shipper.positions import Positions, load, parse, serialise

from .test_place import kept_places


PATH = "/var/log/a.log"
KEY = ("t", PATH)
OURS = f"file:job:t:{PATH}"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def positions(tmp_path: Path, entries: dict[str, str] | None = None) -> Positions:
    path = tmp_path / "positions.yaml"
    if entries is not None:
        path.write_bytes(serialise(entries))
    return Positions(str(path))


@given(
    st.lists(kept_places, min_size=1, max_size=3), st.none() | st.integers(0, 1 << 40)
)
def test_what_is_written_is_read(places: list[Place], gone: int | None) -> None:
    assert parse_trail(format_trail(places, gone)) == (places, gone)


@given(st.binary(min_size=1, max_size=10))
def test_any_name_is_a_key(name: bytes) -> None:
    key = position_key("/" + name.decode("utf-8", "surrogateescape"))
    assert parse(serialise({key: "1"}), "p") == {key: "1"}


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ({}, []),
        ({PATH: "7"}, [Place(7)]),
        ({PATH: "7", OURS: "7 3 2:ff"}, [Place(7, 3, 2, 255)]),
        ({PATH: "5", OURS: "7 3 2:ff"}, [Place(7, 3, 2, 255)]),  # of another job
        ({PATH: "8", OURS: "7 3 2:ff"}, [Place(8)]),  # promtail went on
        ({OURS: "7 3 2:ff; 0 4 0:0"}, [Place(7, 3, 2, 255), Place(0, 4)]),
        ({PATH: "7", OURS: "rubbish"}, [Place(7)]),
        ({PATH: "rubbish"}, []),
        ({PATH: "-5"}, []),
    ],
)
async def test_what_was_kept(
    tmp_path: Path, entries: dict[str, str], expected: list[Place]
) -> None:
    ledger = Ledger(positions(tmp_path, entries), "job")
    assert list(ledger.trail(KEY).places) == expected


async def test_rubbish_is_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = Ledger(positions(tmp_path, {PATH: "rubbish"}), "job")
    with caplog.at_level(logging.ERROR):
        ledger.trail(KEY)
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path}/positions.yaml: entry {PATH}: expected a number"
    ]


async def test_saved(tmp_path: Path) -> None:
    kept = positions(tmp_path)
    ledger = Ledger(kept, "job")
    segment = ledger.trail(KEY).begin(3, 0, b"ab")
    segment.pending.extend([4, 8])
    segment.acknowledge([Entry(0, b"")])
    assert ledger.in_flight == 1
    await kept.close()
    assert load(kept.path) == {PATH: "4", OURS: "4 3 2:9e83486d"}


async def test_two_targets_and_two_jobs_keep_the_smaller_for_promtail(
    tmp_path: Path,
) -> None:
    kept = positions(tmp_path)
    for job, target, offset in (("a", "t", 9), ("a", "u", 5), ("b", "t", 7)):
        Ledger(kept, f"{job}{target}").trail((target, PATH)).begin(3, offset)
    one = Ledger(kept, "one")
    one.trail(("t", PATH)).begin(3, 8)
    one.trail(("u", PATH)).begin(3, 6)
    await kept.close()
    entries = load(kept.path)
    assert entries[PATH] == "5"
    assert entries[f"file:one:t:{PATH}"] == "8 3 0:00000000"
    assert entries[f"file:one:u:{PATH}"] == "6 3 0:00000000"


async def test_what_is_gone_is_forgotten_after_a_while(tmp_path: Path) -> None:
    clock = Clock()
    kept = positions(tmp_path, {PATH: "7", "/other": "1", "cursor-a": "2"})
    ledger = Ledger(kept, "job", keep_gone_seconds=10, now=clock)
    ledger.trail(KEY).begin(3, 7)
    ledger.close(KEY)
    await kept.save()
    assert load(kept.path)[OURS] == "7 3 0:00000000 gone=1000"
    clock.now += 9
    # A restart does not prolong it.
    kept = positions(tmp_path)
    ledger = Ledger(kept, "job", keep_gone_seconds=10, now=clock)
    await kept.save()
    assert OURS in load(kept.path)
    clock.now += 1
    await kept.save()
    assert load(kept.path) == {"/other": "1", "cursor-a": "2"}


async def test_what_comes_back_is_not_forgotten(tmp_path: Path) -> None:
    clock = Clock()
    kept = positions(tmp_path, {PATH: "7", OURS: "7 3 0:0 gone=995"})
    ledger = Ledger(kept, "job", keep_gone_seconds=10, now=clock)
    trail = ledger.trail(KEY)
    assert trail.closed
    trail.begin(3, 7)
    clock.now += 100
    await kept.save()
    assert load(kept.path) == {PATH: "7", OURS: "7 3 0:00000000"}


async def test_lines_in_flight_survive_the_end_of_their_file(tmp_path: Path) -> None:
    kept = positions(tmp_path)
    ledger = Ledger(kept, "job")
    segment = ledger.trail(KEY).begin(3, 0)
    segment.pending.append(4)
    segment.ended = True
    ledger.close(KEY)
    trail = ledger.trail(KEY)
    trail.begin(5, 0)
    assert [place.inode for place in trail.places] == [3, 5]
    segment.acknowledge([Entry(0, b"")])
    assert [place.inode for place in trail.places] == [5]


def test_archives_have_books_of_their_own(tmp_path: Path) -> None:
    entries = {OURS: "7 3 2:ff", f"archive:job:t:{PATH}": "70 3 2:ff 4"}
    for number, expected in {"4": Place(70, 3, 2, 255, 4), "5": Place(5)}.items():
        book = positions(tmp_path, {**entries, PATH: number})
        trail = Ledger(book, "job", archives=True).trail(KEY)
        assert list(trail.places) == [expected]


@pytest.mark.parametrize("key", [KEY, ("other", PATH)])
async def test_a_place_is_kept_for_whoever_wants_the_path_again(
    tmp_path: Path, key: tuple[str, str]
) -> None:
    book = positions(tmp_path)
    ledger = Ledger(book, "job")
    segment = ledger.trail(KEY).begin(3, 0)
    segment.pending.extend([5, 9])
    segment.acknowledge([Entry(1, b"")])
    ledger.suspend(KEY)
    await book.save()
    trail = ledger.trail(key)
    assert [(place.inode, place.offset) for place in trail.kept] == [(3, 5)]
    segment.acknowledge([Entry(2, b"")])  # came too late
    trail.begin(3, 5)
    await book.close()
    kept = load(book.path)
    assert kept[PATH] == "5"
    assert [name for name in kept if name != PATH] == [f"file:job:{key[0]}:{PATH}"]
