from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from shipper.docker.frames import STDERR, STDOUT
from shipper.docker.ledger import KEEP_GONE_SECONDS, Ledger
from shipper.docker.marks import format_mark, parse_mark
from shipper.docker.progress import SECOND_NS, Mark, Position
from shipper.docker.run import Run
from shipper.pipeline.entry import Entry
from shipper.positions import Positions, load, serialise, store


ID = "a" * 64
OTHER = "b" * 64
T = 1795360482 * SECOND_NS


class Clock:
    def __init__(self) -> None:
        self.seconds = 1795360500.0

    def __call__(self) -> float:
        return self.seconds


def write(path: Path, **entries: str) -> str:
    path.write_bytes(serialise({k.replace("_", "-"): v for k, v in entries.items()}))
    return str(path)


def ship(ledger: Ledger, container_id: str, stream: int, entry: Entry) -> None:
    progress = ledger.progress(container_id)
    ledger.release(container_id)
    part = progress.stream(stream)
    checksum, gap = progress.accept(part, entry)
    assert checksum is not None
    assert not gap
    run = Run(stream, [entry], [checksum])
    progress.depart(run, ()).acknowledge([entry])


numbers = st.integers(0, 2**62)
sums = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=4).map(tuple)


@given(numbers, sums, numbers, numbers)
def test_marks_are_read_as_written(
    at: int, checksums: tuple[int, ...], up: int, number: int
) -> None:
    mark = Mark(at, checksums, max(at, up), number)
    assert parse_mark(format_mark(mark)) == mark


@pytest.mark.parametrize("text", ["", "1", "x 0a", "1 zz", "1 0a high=x", "1 2 3 4"])
def test_no_mark(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_mark(text)


async def test_positions_survive(tmp_path: Path) -> None:
    path = str(tmp_path / "p.yaml")
    kept = Positions(path)
    ledger = Ledger(kept, "job")
    ship(ledger, ID, STDOUT, Entry(T, b"a"))
    ship(ledger, ID, STDERR, Entry(T + 5, b"b"))
    await kept.close()
    entries = load(path)
    assert entries[f"cursor-{ID}"] == "1795360482"
    assert set(entries) == {
        f"cursor-{ID}",
        f"docker:job:{ID}",
        f"docker:job:{ID}:stdout",
        f"docker:job:{ID}:stderr",
    }
    again = Positions(path)
    position = Ledger(again, "job").progress(ID).position
    assert position == ledger.progress(ID).position
    assert position.since_ns == T + 5
    assert Ledger(again, "another").progress(ID).position.marks == {}
    await again.close()


async def test_promtails_cursor_is_the_beginning(tmp_path: Path) -> None:
    path = write(tmp_path / "p.yaml", **{f"cursor_{ID}": "1795360482"})
    kept = Positions(path)
    ledger = Ledger(kept, "job")
    assert ledger.progress(ID).position == Position(T)
    assert ledger.progress(OTHER).position == Position(0)
    await kept.close()
    # Going back to promtail without a line read loses and floods nothing.
    assert load(path)[f"cursor-{ID}"] == "1795360482"


async def test_promtail_went_on_in_between(tmp_path: Path) -> None:
    path = str(tmp_path / "p.yaml")
    kept = Positions(path)
    ship(Ledger(kept, "job"), ID, STDOUT, Entry(T, b"a"))
    await kept.close()
    entries = load(path) | {f"cursor-{ID}": str(T // SECOND_NS + 60)}
    store(path, serialise(entries))
    kept = Positions(path)
    assert Ledger(kept, "job").progress(ID).position == Position(T + 60 * SECOND_NS)
    await kept.close()


async def test_unreadable_entries_are_said_and_survived(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "p.yaml"
    entries = {
        f"cursor-{ID}": "soon",
        f"docker:job:{ID}": "since=yesterday",
        f"cursor-{OTHER}": "12",
        f"docker:job:{OTHER}": f"since={T}",
        f"docker:job:{OTHER}:stdout": "1 2 3 4",
    }
    store(str(path), serialise(entries))
    kept = Positions(str(path))
    ledger = Ledger(kept, "job")
    assert ledger.progress(ID).position == Position(0)
    assert ledger.progress(OTHER).position == Position(T)
    assert all(record.levelno == logging.ERROR for record in caplog.records)
    assert "[n=<lines>]', got '1 2 3 4'" in caplog.text
    await kept.close()


@pytest.mark.parametrize("seconds", ["-5", "9223372037", str(10**20)])
async def test_a_time_that_docker_refuses_is_the_beginning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, seconds: str
) -> None:
    path = tmp_path / "p.yaml"
    entries = {
        f"cursor-{ID}": seconds,
        f"docker:job:{OTHER}": f"since={seconds}000000000",
    }
    store(str(path), serialise(entries))
    kept = Positions(str(path))
    ledger = Ledger(kept, "job")
    assert ledger.progress(ID).position == Position(0)
    assert ledger.progress(OTHER).position == Position(0)
    assert f"{path}: entry cursor-{ID}: expected seconds" in caplog.text
    assert "expected a number from 0 to 9223372036854775807" in caplog.text
    await kept.close()


async def test_gone_containers_are_forgotten_after_a_day(tmp_path: Path) -> None:
    path = str(tmp_path / "p.yaml")
    clock = Clock()
    kept = Positions(path)
    ledger = Ledger(kept, "job", now=clock)
    ship(ledger, ID, STDOUT, Entry(T, b"a"))
    ship(ledger, OTHER, STDOUT, Entry(T, b"a"))
    ledger.set_existing([OTHER])
    clock.seconds += KEEP_GONE_SECONDS - 1
    await kept.close()
    assert "gone=1795360500" in load(path)[f"docker:job:{ID}"]

    # ... also over a restart.
    kept = Positions(path)
    ledger = Ledger(kept, "job", now=clock)
    ledger.set_existing([OTHER])
    await kept.save()
    assert f"docker:job:{ID}" in load(path)
    clock.seconds += 2
    await kept.close()
    assert all(ID not in key for key in load(path))
    assert f"docker:job:{OTHER}" in load(path)


async def test_a_gone_container_with_lines_in_flight_is_kept(tmp_path: Path) -> None:
    clock = Clock()
    kept = Positions(str(tmp_path / "p.yaml"))
    ledger = Ledger(kept, "job", now=clock)
    progress = ledger.progress(ID)
    stream = progress.stream(STDOUT)
    checksum, _ = progress.accept(stream, Entry(T, b"a"))
    progress.depart(Run(STDOUT, [Entry(T, b"a")], [checksum or 0]), ())
    ledger.set_gone(ID)
    ledger.release(ID)
    clock.seconds += KEEP_GONE_SECONDS + 1
    await kept.save()
    assert ledger.in_flight == 1
    stream.cursor.acknowledge([Entry(T, b"a")])
    await kept.close()
    assert ID not in "".join(load(kept.path))


async def test_what_nobody_reads_is_on_disk_only(tmp_path: Path) -> None:
    kept = Positions(str(tmp_path / "p.yaml"))
    ledger = Ledger(kept, "job")
    ship(ledger, ID, STDOUT, Entry(T, b"a"))
    used = ledger.progress(OTHER)
    position = ledger.progress(ID).position
    ledger.release(ID)
    await kept.save()
    assert list(ledger._open) == [OTHER]
    assert ledger.progress(OTHER) is used
    assert ledger.progress(ID).position == position
    await kept.close()


async def test_a_container_that_is_back_is_not_gone(tmp_path: Path) -> None:
    clock = Clock()
    kept = Positions(str(tmp_path / "p.yaml"))
    ledger = Ledger(kept, "job", now=clock)
    ship(ledger, ID, STDOUT, Entry(T, b"a"))
    ledger.set_existing([])
    ledger.set_existing([ID])
    clock.seconds += KEEP_GONE_SECONDS + 1
    await kept.close()
    assert f"docker:job:{ID}" in load(kept.path)


def test_what_has_not_changed_is_not_said_anew(tmp_path: Path) -> None:
    kept = Positions(str(tmp_path / "p.yaml"))
    ledger = Ledger(kept, "job")
    ship(ledger, ID, STDOUT, Entry(T, b"a"))
    progress = ledger.progress(ID)
    said = ledger._changes()
    assert said[f"cursor-{ID}"] == str(T // SECOND_NS)
    assert ledger._changes() is said
    run = progress.accept_all(STDOUT, [Entry(T + SECOND_NS, b"b")])
    assert run is not None
    cursor = progress.depart(run, ())
    flying = ledger._changes()
    assert flying is not said
    assert ledger._changes() is flying
    cursor.acknowledge(run.entries)
    done = ledger._changes()
    assert done[f"cursor-{ID}"] == str(T // SECOND_NS + 1)
    ledger.set_gone(ID)
    assert "gone=" in str(ledger._changes()[f"docker:job:{ID}"])
