"""Lines that find no room go to the disk and come back: each once, in order."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from shipper.docker import backlog as backlog_module, shipment as shipment_module
from shipper.docker.frames import STDERR, STDOUT, UNSTAMPED, Line
from shipper.docker.ledger import Ledger
from shipper.docker.meters import NoMeters
from shipper.docker.shipment import Shipment
from shipper.docker.spooled import Discovered
from shipper.pipeline.entry import BoundedSink, Cursor, Entry, Labels, Streams
from shipper.pipeline.pipeline import Pipeline
from shipper.pipeline.stage import Workshop
from shipper.pipeline.stages import decolorize
from shipper.positions import Positions
from shipper.spool.block import encode_block
from shipper.spool.volume import Volume


ID = "c" * 64
NAMED: Discovered = {"name": "web"}


def line(number: int, stream: int = STDOUT, size: int = 0) -> Line:
    text = b"%d" % number
    return stream, Entry(1_000_000_000 + number, text.ljust(size, b"."))


def label(discovered: Discovered) -> dict[int, Labels]:
    name = discovered.get("name", "?")
    return {
        stream: (("name", name), ("stream", text))
        for stream, text in ((STDOUT, "out"), (STDERR, "err"))
    }


class Loki:
    """A sink that has room for *most* lines until they are settled.

    It admits *slack* more than it has room for.
    """

    sure = True

    def __init__(self, most: int, slack: int = 0) -> None:
        self.most = most
        self.slack = slack
        self.taken: list[tuple[Labels, Entry]] = []
        self._held: list[tuple[Entry, Cursor]] = []
        self._changed = asyncio.Condition()

    def admits(self, entries: Sequence[Entry], cursor: Cursor) -> bool:
        return len(self._held) + len(entries) <= self.most + self.slack

    async def room(self) -> None:
        held = len(self._held)
        await self._until(lambda: len(self._held) < held)

    async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
        await self._until(lambda: len(self._held) < self.most)
        self.taken.append((labels, entry))
        self._held.append((entry, cursor))
        await self._notify()

    async def put_all(self, streams: Streams, cursor: Cursor) -> None:
        entries = [(labels, each) for labels, found in streams for each in found]
        if len(entries) == 1:
            await self.put(*entries[0], cursor)
            return
        await self._until(lambda: len(self._held) + len(entries) <= self.most)
        self.taken += entries
        self._held += [(entry, cursor) for _, entry in entries]
        await self._notify()

    async def settle(self, count: int) -> None:
        for _ in range(min(count, len(self._held))):
            entry, cursor = self._held.pop(0)
            cursor.acknowledge([entry])
        await self._notify()

    async def settle_until(self, count: int) -> None:
        """Settle until *count* lines were taken, and all of them."""
        async with asyncio.timeout(20):
            while len(self.taken) < count or self._held:
                await self.settle(len(self._held))
                await self._until(lambda: bool(self._held) or len(self.taken) >= count)

    async def until_taken(self, count: int) -> None:
        async with asyncio.timeout(20):
            await self._until(lambda: len(self.taken) >= count)

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(condition)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    @property
    def lines(self) -> list[bytes]:
        return [entry.line.rstrip(b".") for _, entry in self.taken]


@dataclass
class Life:
    """One run of the Docker side, with what it keeps in *folder*."""

    loki: Loki
    shipment: Shipment
    positions: Positions
    volume: Volume
    ledger: Ledger
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def waits(self) -> bool:
        assert self.shipment.backlog is not None
        return self.shipment.backlog.waiting

    async def stop(self) -> None:
        """End as the program does."""
        await self.kill()
        await self.volume.close()
        await self.positions.close()

    async def kill(self) -> None:
        """End at once: nothing is written any more."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()


@asynccontextmanager
async def life(
    folder: Path, most: int, limit: int = 1 << 30, *, slack: int | None = None
) -> AsyncIterator[Life]:
    """Run the Docker side; with *slack* there are stages in front of the sink."""
    volume = Volume(str(folder / "spool"), limit)
    positions = Positions(str(folder / "positions.yaml"))
    ledger = Ledger(positions, "job", volume)
    await ledger.open_spool()
    loki = Loki(most, slack or 0)
    stages = Pipeline([("decolorize", decolorize.Config())], Workshop(), loki)
    sink: BoundedSink = loki if slack is None else stages
    backlog, progress = ledger.backlog(ID), ledger.progress(ID)
    assert backlog is not None
    shipment = Shipment(ID, progress, sink, NoMeters(), backlog=backlog, label=label)
    shipment.labels = label(NAMED)
    backlog.discovered = NAMED
    shipment.rotates = True  # nothing waits in Docker's files
    now = Life(loki, shipment, positions, volume, ledger)
    now.tasks = [asyncio.create_task(work.run()) for work in (shipment, stages)]
    await asyncio.sleep(0)
    progress.begin()
    try:
        yield now
    finally:
        await now.kill()
        for queue in volume._queues.values():
            queue.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "spool").rglob("*.blocks"))


async def test_with_room_nothing_is_written(folder: Path) -> None:
    async with life(folder, 100) as now:
        await now.shipment.put([line(at) for at in range(50)])
        assert now.loki.lines == [b"%d" % at for at in range(50)]
        await now.volume._tick(now.ledger.backlog(ID))  # type: ignore[arg-type]
        assert not now.waits()
        assert not (folder / "spool").exists()


async def test_without_room_lines_wait_on_disk(folder: Path) -> None:
    async with life(folder, 3) as now:
        for at in range(1000):
            await now.shipment.put([line(at, size=1000)])
        assert now.waits()
        assert files(folder) == ["000000000001.blocks"]
        assert now.shipment.progress.in_flight <= 4
        await now.loki.settle_until(1000)
        assert now.loki.lines == [b"%d" % at for at in range(1000)]
        await now.volume._tick(now.ledger.backlog(ID))  # type: ignore[arg-type]
        assert files(folder) == []
        assert now.volume.used_bytes == 0
        # And then without the disk again.
        await now.shipment.put([line(1000)])
        assert now.loki.lines[-1] == b"1000"
        assert files(folder) == []


async def test_a_stop_keeps_what_is_not_acknowledged(folder: Path) -> None:
    async with life(folder, 100) as now:
        await now.shipment.put([line(at, STDOUT + at % 2) for at in range(40)])
        await now.loki.settle(7)
        await now.stop()
    async with life(folder, 100) as now:
        await now.loki.settle_until(33)
        assert sorted(map(int, now.loki.lines)) == list(range(7, 40))
        for name in ("out", "err"):
            stream = [
                int(e.line) for lb, e in now.loki.taken if dict(lb)["stream"] == name
            ]
            assert stream == sorted(stream)
        # Docker gives what was read again, and what comes then.
        await now.shipment.put([line(at, STDOUT + at % 2) for at in range(20, 44)])
        await now.loki.settle_until(37)
        assert sorted(map(int, now.loki.lines)) == list(range(7, 44))


async def test_a_kill_while_lines_wait(folder: Path) -> None:
    async with life(folder, 3) as now:
        for at in range(500):
            await now.shipment.put([line(at, size=1000)])
        await now.loki.settle(2)
        await now.positions.save()
        await now.kill()
    async with life(folder, 3) as now:
        since = now.shipment.progress.begin()
        read = now.shipment.progress.stream(STDOUT).read_ns
        assert read > 1_000_000_400  # all but what had not been written yet
        assert since <= read
        await now.shipment.put([line(at, size=1000) for at in range(2, 510)])
        await now.loki.settle_until(508)
        assert now.loki.lines == [b"%d" % at for at in range(2, 510)]


async def test_a_new_name_counts_from_its_first_line(folder: Path) -> None:
    async with life(folder, 3) as now:
        await now.shipment.put([line(at) for at in range(5)])
        assert now.shipment.backlog is not None
        await now.shipment.backlog.save()
        renamed = {"name": "db"}
        now.shipment.backlog.discovered = renamed
        now.shipment.labels = label(renamed)
        await now.shipment.put([line(at) for at in range(5, 8)])
        await now.shipment.backlog.save()
        await now.kill()
    async with life(folder, 100) as now:
        await now.loki.settle_until(8)
        names = [dict(labels)["name"] for labels, _ in now.loki.taken]
        assert names == ["web"] * 5 + ["db"] * 3


async def test_a_full_spool_makes_reading_wait(folder: Path) -> None:
    async with life(folder, 1, limit=6000) as now:

        async def read() -> None:
            for at in range(500):
                await now.shipment.put([line(at, size=300)])

        reading = asyncio.create_task(read())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5):
                await asyncio.shield(reading)
        assert now.volume.used_bytes <= 6000
        ticking = asyncio.create_task(now.volume.run())
        await now.loki.settle_until(500)
        await reading
        ticking.cancel()
        assert now.loki.lines == [b"%d" % at for at in range(500)]


async def test_lines_without_a_time_keep_their_place(folder: Path) -> None:
    async with life(folder, 1) as now:
        lines = [line(1), line(2), (STDERR | UNSTAMPED, Entry(5, b"odd")), line(3)]
        await now.shipment.put(lines)
        await now.loki.settle_until(4)
        assert now.loki.lines == [b"1", b"2", b"odd", b"3"]


async def test_a_damaged_block_costs_its_lines(folder: Path) -> None:
    async with life(folder, 2) as now:
        for start in (0, 10, 20):
            await now.shipment.put([line(at) for at in range(start, start + 10)])
            assert now.shipment.backlog is not None
            await now.shipment.backlog.save()
        await now.kill()
    [path] = (folder / "spool").rglob("*.blocks")
    data = path.read_bytes()
    at = data.index(b"SPL1", data.index(b"SPL1", 4) + 4) - 1  # in the second block
    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    async with life(folder, 100) as now:
        await now.loki.until_taken(20)
        found = [int(text) for text in now.loki.lines]
        assert found == [n for n in range(30) if n in found]
        await now.shipment.put([line(30)])
        await now.loki.settle_until(len(found) + 1)
        progress = now.shipment.progress.stream(STDOUT)
        assert (progress.done_number, progress.in_flight) == (31, 0)


Step = tuple[str, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["read", "read", "settle", "tick", "save", "stop", "kill"]),
        st.integers(1, 40),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(
    steps, st.integers(1, 20), st.integers(0, 3), st.none() | st.sampled_from([0, 9])
)
def test_whatever_happens_each_line_comes(
    program: list[Step], most: int, odd: int, slack: int | None
) -> None:
    """Kills and stops at any point; Docker keeps its log. Loki knows a line again."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(backlog_module, "FLUSH_BYTES", 2500)
        patch.setattr(backlog_module, "BLOCK_BYTES", 40)
        patch.setattr("shipper.spool.queue.SEGMENT_BYTES", 600)
        patch.setattr(shipment_module, "SLICE_LINES", 7)
        patch.setattr(shipment_module, "PATIENCE_SECONDS", 0.01)
        asyncio.run(_run(Path(folder), program, most, odd, slack))


async def _run(
    folder: Path, program: list[Step], most: int, odd: int, slack: int | None
) -> None:
    log = [
        line(at, STDERR if odd and at % (odd + 1) == 0 else STDOUT) for at in range(400)
    ]
    program = [*program, ("stop", 1)]
    taken: list[tuple[Labels, Entry]] = []
    written = 0
    while program:
        async with life(folder, most, slack=slack) as now:
            since = now.shipment.progress.begin()
            at = next(i for i, (_, e) in enumerate(log) if e.timestamp_ns >= since)
            while program:
                step, count = program.pop(0)
                if step == "read":
                    await now.shipment.put(log[at : at + count])
                    at = min(at + count, len(log) - 1)
                    written = max(written, at)
                elif step == "settle":
                    await now.loki.settle(count)
                elif step == "tick":
                    await now.volume._tick(now.ledger.backlog(ID))  # type: ignore[arg-type]
                elif step == "save":
                    await now.positions.save()
                else:
                    await (now.stop() if step == "stop" else now.kill())
                    break
            taken += now.loki.taken
            _check_order(now.loki.taken)
    async with life(folder, 10_000) as now:
        await now.shipment.put(log[:written])
        assert now.shipment.backlog is not None
        async with asyncio.timeout(10):
            await now.shipment.backlog.settled()
        _check_order(now.loki.taken)
        taken += now.loki.taken
    assert {entry for _, entry in taken} >= {entry for _, entry in log[:written]}


def _check_order(taken: list[tuple[Labels, Entry]]) -> None:
    """Within one life each line is put once, and in order within its stream."""
    for stream in {labels for labels, _ in taken}:
        stamps = [entry.timestamp_ns for labels, entry in taken if labels == stream]
        assert stamps == sorted(set(stamps))


async def test_a_log_that_stays_waits_in_dockers_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only when nothing moves for long it is read all the same."""
    monkeypatch.setattr(shipment_module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(shipment_module, "PATIENCE_SECONDS", 0.5)
    async with life(folder, 2) as now:
        now.shipment.rotates = False
        await now.shipment.put([line(0), line(1)])
        later = asyncio.create_task(now.shipment.put([line(2), line(3)]))
        await now.loki.settle_until(2)
        await later
        assert now.loki.lines == [b"0", b"1", b"2", b"3"]
        assert not now.waits()
        # Nothing moves now.
        await now.shipment.put([line(4)])
        assert now.waits()
        began = asyncio.get_running_loop().time()
        for at in range(5, 50):
            await now.shipment.put([line(at)])
        assert asyncio.get_running_loop().time() - began < 0.5, "patience is over"
        await now.loki.settle_until(50)
        assert now.loki.lines == [b"%d" % at for at in range(50)]


async def test_a_container_that_dies_is_read_at_once(folder: Path) -> None:
    async with life(folder, 2) as now:
        now.shipment.rotates = False
        await now.shipment.put([line(0), line(1)])
        reading = asyncio.create_task(now.shipment.put([line(2)]))
        await asyncio.sleep(0)
        assert not reading.done()
        now.ledger.set_gone(ID)
        async with asyncio.timeout(1):
            await reading
        # What is in flight for long, and can be read nowhere, is written.
        await now.volume._tick(now.ledger.backlog(ID))  # type: ignore[arg-type]
        await now.kill()
    async with life(folder, 100) as now:
        await now.loki.settle_until(3)
        assert now.loki.lines == [b"0", b"1", b"2"]


async def test_reading_goes_before_shipping_for_a_moment(folder: Path) -> None:
    async with life(folder, 100) as now:
        now.shipment.hurry()
        await now.shipment.put([line(at) for at in range(50)])
        assert now.loki.lines == []
        await now.loki.settle_until(50)
        assert now.loki.lines == [b"%d" % at for at in range(50)]


async def test_what_the_rules_drop_by_now_is_done(folder: Path) -> None:
    async with life(folder, 1) as now:
        await now.shipment.put([line(at) for at in range(5)])
        await now.stop()
    async with life(folder, 10) as now:
        now.shipment._label = lambda _: {}
        async with asyncio.timeout(5):
            assert now.shipment.backlog is not None
            await now.shipment.backlog.settled()
        assert now.loki.lines == []
        assert now.shipment.progress.stream(STDOUT).done_number == 5


async def test_a_block_of_another_release_costs_itself(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with life(folder, 2) as now:
        await now.shipment.put([line(at) for at in range(10)])
        await now.stop()
    [path] = (folder / "spool").rglob("*.blocks")
    path.write_bytes(encode_block({"format": 2}, b"") + path.read_bytes())
    async with life(folder, 100) as now:
        await now.loki.settle_until(10)
        assert now.loki.lines == [b"%d" % at for at in range(10)]
    assert "a block of the spool is passed over: expected the head" in caplog.text
