"""Against a dockerd in this process that rotates, skips and repeats as told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from shipper.docker import verify
from shipper.docker.engine import Engine
from shipper.docker.frames import STDOUT, Demuxer
from shipper.docker.host import DockerHost
from shipper.docker.progress import Progress
from shipper.docker.shipment import Shipment
from shipper.docker.stream import DockerError, DockerRefusedError, Response
from shipper.docker.verify import Verifier
from shipper.pipeline.entry import Labels

from .conftest import (
    BASE_NS,
    HEADERS,
    ID,
    LAST_CHUNK,
    CountingMeters,
    MemorySink,
    chunk,
    log_frame,
)


MS = 1_000_000
LINE_BYTES = 1000
TEXT = b"%06d " + b"x" * 928
LABELS: dict[int, Labels] = {STDOUT: (("container_name", "web"),)}


class Files(Engine):
    """A log of a line a millisecond in files of *per_file* lines, *kept* of them."""

    def __init__(self, per_file: int, kept: int = 1000) -> None:
        super().__init__(DockerHost("unix:///nowhere"))
        self.per_file = per_file
        self.kept = kept
        self.written = 0
        self.asked: list[tuple[int, int | None]] = []
        self.faults: list[DockerError] = []
        self.cut = False

    async def log_config(self, container_id: str) -> Mapping[str, Any]:
        size = self.per_file * LINE_BYTES
        return {"Type": "json-file", "Config": {"max-size": str(size)}}

    async def logs(
        self,
        container_id: str,
        since_ns: int,
        streams: Sequence[int],
        *,
        follow: bool = True,
        tail: int | None = None,
    ) -> Response:
        assert not follow
        self.asked.append((since_ns, tail))
        if self.faults:
            raise self.faults.pop(0)
        newest = (self.written - 1) // self.per_file
        first = max(0, newest - self.kept + 1) * self.per_file
        lines = range(first, self.written)[-(tail or self.written) :]
        body = b"".join(chunk(frame(n)) for n in lines if BASE_NS + n * MS >= since_ns)
        response = Response("logs")
        data = HEADERS + body + (b"" if self.cut else LAST_CHUNK)
        while data:
            buffer = response.get_buffer(-1)
            size = min(len(buffer), len(data))
            buffer[:size] = data[:size]
            response.buffer_updated(size)
            data = data[size:]
        if self.cut:
            response.connection_lost(None)
        return response


def frame(number: int) -> bytes:
    return log_frame(1, number * MS, TEXT % number)


class Reading:
    """A container's log as its follower gives it, read through a `Verifier`."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.sink, self.meters = MemorySink(), CountingMeters()
        shipment = Shipment(ID, Progress(), self.sink, self.meters)
        shipment.labels = LABELS
        self.verifier = Verifier(
            files,
            ID,
            shipment,
            self.meters,
            max_line_bytes=10_000,
            answer_seconds=0.2,
            now_ns=lambda: BASE_NS + files.written * MS,
        )
        self.verifier.opened([STDOUT])
        self.demuxer = Demuxer()

    async def follow(self, *numbers: int, late: int = 0) -> None:
        """Take lines in one read, *late* lines behind what is written."""
        self.files.written = max(self.files.written, max(numbers) + 1 + late)
        data = b"".join(frame(number) for number in numbers)
        await self.verifier.ship(len(data), self.demuxer.feed(data))

    def numbers(self) -> list[int]:
        return [int(line[:6]) for line in self.sink.lines]


@pytest.fixture(autouse=True)
def _watch_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "WATCH_AFTER_BYTES", 1)


@pytest.fixture
def reading() -> Reading:
    return Reading(Files(100))


async def promptly(reading: Reading, start: int, end: int) -> None:
    for number in range(start, end):
        await reading.follow(number)


async def test_a_file_that_is_left_out_is_read(reading: Reading) -> None:
    await promptly(reading, 0, 300)
    assert reading.files.asked == []
    await reading.follow(*range(450, 470), late=60)
    assert len(reading.files.asked) == 1
    assert reading.numbers() == list(range(530))
    await promptly(reading, 470, 600)
    assert reading.numbers() == list(range(600))
    assert reading.meters.counts["gaps"] == 0
    assert reading.meters.counts["rereads"] == 1
    assert reading.meters.counts["duplicates"] >= 60


async def test_only_the_end_of_the_files_is_asked_for(reading: Reading) -> None:
    await promptly(reading, 0, 1000)
    await reading.follow(1150)
    [(since_ns, tail)] = reading.files.asked
    assert since_ns == BASE_NS + 999 * MS - verify.OVERLAP_NS
    assert tail is not None
    assert 200 < tail < 2 * (151 + 50) + 200


async def test_too_short_an_end_is_asked_for_again_whole(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Verifier, "_tail", lambda self, since_ns: 10)
    await promptly(reading, 0, 300)
    await reading.follow(450)
    assert [tail for _, tail in reading.files.asked] == [10, None]
    assert reading.numbers() == list(range(451))
    assert reading.meters.counts["gaps"] == 0


async def test_what_the_files_do_not_have_any_more_is_a_gap(reading: Reading) -> None:
    reading.files.kept = 2
    await promptly(reading, 0, 300)
    await reading.follow(950, late=0)
    assert reading.numbers() == [*range(300), *range(800, 951)]
    assert reading.meters.counts["gaps"] == 1


async def test_a_follower_that_skips_where_the_files_were_read(
    reading: Reading,
) -> None:
    await promptly(reading, 0, 300)
    await reading.follow(450, late=49)
    # It was behind; of what was read from the files it leaves out the end.
    await reading.follow(600, late=0)
    assert reading.numbers() == list(range(601))
    assert reading.meters.counts["gaps"] == 0


async def test_a_container_that_is_gone_is_read_on(reading: Reading) -> None:
    await promptly(reading, 0, 300)
    reading.files.faults = [DockerRefusedError("logs", 404, "No such container")]
    await reading.follow(450, 451)
    assert reading.numbers() == [*range(300), 450, 451]


async def test_another_refusal_is_for_the_tailer(reading: Reading) -> None:
    await promptly(reading, 0, 300)
    reading.files.faults = [DockerRefusedError("logs", 500, "oops")]
    with pytest.raises(DockerRefusedError, match="oops"):
        await reading.follow(450)
    assert reading.numbers() == list(range(300))


async def test_half_an_answer_is_a_fault(reading: Reading) -> None:
    await promptly(reading, 0, 300)
    reading.files.cut = True
    with pytest.raises(DockerError, match="in the middle of the answer"):
        await reading.follow(450)


async def test_an_answer_has_a_deadline(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*args: object, **options: object) -> Response:
        return Response("logs")

    await promptly(reading, 0, 300)
    monkeypatch.setattr(reading.files, "logs", silent)
    with pytest.raises(DockerError, match=r"logs: no answer within 0\.2 s"):
        await reading.follow(450)


async def test_a_log_that_does_not_rotate_is_not_asked_for(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unlimited(container_id: str) -> Mapping[str, Any]:
        return {"Type": "json-file", "Config": {}}

    monkeypatch.setattr(reading.files, "log_config", unlimited)
    await promptly(reading, 0, 300)
    await reading.follow(*range(450, 3000))
    assert reading.files.asked == []


async def test_that_it_cannot_be_known_whether_it_rotates(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(container_id: str) -> Mapping[str, Any]:
        raise DockerError("connection refused")

    monkeypatch.setattr(reading.files, "log_config", broken)
    await reading.follow(*range(300))
    assert reading.numbers() == list(range(300))


FILE = 50


@st.composite
def followed(draw: st.DrawFn) -> list[list[int]]:
    """Return the reads of a follower that skips and repeats whole files."""
    reads = [[number] for number in range(4 * FILE)]
    file, end = 4, draw(st.integers(5, 14))
    while file < end:
        lines = list(range(file * FILE, (file + 1) * FILE))
        again = draw(st.integers(0, FILE)) if draw(st.booleans()) else 0
        lines = lines[:again] + lines
        while lines:
            count = draw(st.integers(1, 80))
            reads.append(lines[:count])
            del lines[:count]
        file += draw(st.sampled_from([1, 1, 2, 3]))
    return reads


@settings(max_examples=60, deadline=None)
@given(followed(), st.data())
def test_each_line_once_and_in_order(
    reads: list[list[int]], data: st.DataObject
) -> None:
    async def run() -> list[int]:
        reading = Reading(Files(FILE))
        for read in reads:
            await reading.follow(*read, late=data.draw(st.integers(0, 30)))
        assert reading.meters.counts["gaps"] == 0
        return reading.numbers()

    numbers = asyncio.run(run())
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > max(max(read) for read in reads)
