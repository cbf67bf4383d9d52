from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from shipper.pipeline.entry import Entry
from shipper.store import writer as module
from shipper.store.ingest import Batch, Ingester, Outcome
from shipper.store.limits import Limits
from shipper.store.model import Stream
from shipper.store.schema import open_writer
from shipper.store.writer import Writer
from shipper.wire.errors import Answer
from tests.store.conftest import NOW, Clock


class Gated(Ingester):
    """An ingester whose commits wait until they are let through."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.connection = open_writer(str(path))
        super().__init__(self.connection, Limits(), clock)
        self.started = threading.Event()
        self.open = threading.Event()
        self.groups: list[int] = []

    def commit(self, batches: Sequence[Batch]) -> list[Outcome]:
        self.started.set()
        self.open.wait(10)
        self.groups.append(len(batches))
        return super().commit(batches)


def batch(number: int) -> Batch:
    entry = Entry(NOW + number, b"x")
    return Batch("fake", [Stream((("a", "b"),), '{a="b"}', [entry])])


def heard(tenant: str, streams: Sequence[Stream]) -> None:
    assert tenant == "fake"
    assert len(streams) == 1


@pytest.fixture
def gated(tmp_path: Path, clock: Clock) -> Gated:
    return Gated(tmp_path / "logs.db", clock)


async def test_what_waits_for_the_disk_goes_together(gated: Gated) -> None:
    writer = Writer(gated, heard)
    running = asyncio.ensure_future(writer.run())
    first = asyncio.ensure_future(writer.append(batch(0)))
    await asyncio.to_thread(gated.started.wait, 10)
    rest = [asyncio.ensure_future(writer.append(batch(n))) for n in range(1, 6)]
    await asyncio.sleep(0)  # each of them puts its batch into the queue
    writer.close()  # what waits is stored all the same
    with pytest.raises(Answer) as refused:
        await writer.append(batch(9))
    assert refused.value.status == 503
    gated.open.set()
    await asyncio.gather(first, *rest, running)
    assert gated.groups == [1, 5]
    writer.stop_thread()
    count = gated.connection.execute("SELECT COUNT(*) FROM entries").fetchone()
    assert count == (6,)
    gated.connection.close()


async def test_a_disk_that_hangs_is_a_503(
    gated: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.05)
    monkeypatch.setattr(module, "COMMIT_SECONDS", 0.05)
    monkeypatch.setattr(module, "QUEUE_PUSHES", 1)
    writer = Writer(gated, heard)
    running = asyncio.ensure_future(writer.run())
    answers = await asyncio.gather(
        *(writer.append(batch(n)) for n in range(4)), return_exceptions=True
    )
    texts = {str(answer) for answer in answers}
    assert texts == {"the store cannot keep up with its disk, try again later"}
    assert gated.groups == []
    gated.open.set()
    writer.close()
    await running
    writer.stop_thread()
    gated.connection.close()
