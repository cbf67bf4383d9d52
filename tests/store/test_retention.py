from __future__ import annotations

import asyncio
import os
from pathlib import Path

from shipper.pipeline.entry import Entry
from shipper.store.ingest import Batch, Ingester
from shipper.store.limits import Limits
from shipper.store.model import Stream
from shipper.store.retention import STEP_ROWS, Retention
from shipper.store.schema import open_writer, used_bytes
from shipper.store.settings import RetentionPolicy
from tests.store.conftest import NOW, SECOND, Clock, Open


DAY = 86400 * SECOND
LIMITS = Limits(reject_old_samples=False, per_stream_burst_bytes=1 << 40)


def batch(name: str, entries: list[Entry]) -> Batch:
    labels = (("container", name),)
    return Batch("fake", [Stream(labels, f'{{container="{name}"}}', entries)])


def test_age_deletes_old_lines_and_then_their_stream(
    tmp_path: Path, clock: Clock
) -> None:
    connection = open_writer(str(tmp_path / "logs.db"))
    ingester = Ingester(connection, LIMITS, clock)
    old = [Entry(NOW - 3 * DAY + n, b"old") for n in range(STEP_ROWS + 10)]
    new = [Entry(NOW - n, b"new") for n in range(10, 0, -1)]
    ingester.commit(
        [batch("old", old), batch("new", new), batch("both", old[:5] + new)]
    )
    clock.now += 3600 * SECOND  # nothing is active any more
    policy = RetentionPolicy(age_ns=2 * DAY)
    retention = Retention(connection, ingester, policy, clock)
    steps = [retention.step() for _ in range(3)]
    assert [step.deleted for step in steps] == [STEP_ROWS, 15, 0]
    assert [step.more for step in steps] == [True, True, False]
    count = "SELECT COUNT(*) FROM entries"
    assert connection.execute(count).fetchone() == (20,)
    names = connection.execute("SELECT value FROM labels ORDER BY value").fetchall()
    assert names == [("both",), ("new",)]
    assert ingester.streams == 2
    ingester.commit([batch("old", [Entry(NOW, b"back again")])])
    assert ingester.streams == 3
    connection.close()


def test_lines_of_one_time_go_together(tmp_path: Path, clock: Clock) -> None:
    connection = open_writer(str(tmp_path / "logs.db"))
    ingester = Ingester(connection, LIMITS, clock)
    same = [Entry(NOW - 9 * DAY, b"%d" % n) for n in range(STEP_ROWS + 50)]
    ingester.commit([batch("c", same)])
    retention = Retention(connection, ingester, RetentionPolicy(age_ns=DAY), clock)
    assert retention.step().deleted == STEP_ROWS + 50
    connection.close()


def test_size_deletes_the_oldest_and_gives_pages_back(
    tmp_path: Path, clock: Clock
) -> None:
    path = str(tmp_path / "logs.db")
    connection = open_writer(path)
    ingester = Ingester(connection, LIMITS, clock)
    for part in range(10):
        times = range(NOW - (10 - part) * DAY, NOW - (9 - part) * DAY, DAY // 400)
        entries = [Entry(time, os.urandom(500)) for time in times]
        ingester.commit([batch(name, entries) for name in ("a", "b")])
    before = used_bytes(connection)
    most = before // 2
    retention = Retention(connection, ingester, RetentionPolicy(0, most), clock)
    while retention.step().more:
        pass
    assert most // 2 < used_bytes(connection) <= most
    oldest = connection.execute("SELECT MIN(ts), MAX(ts) FROM entries").fetchone()
    assert oldest[0] > NOW - 6 * DAY
    assert oldest[1] > NOW - DAY // 100
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert os.stat(path).st_size < before * 0.6
    connection.close()


async def test_it_runs_beside_the_pushes(opened: Open) -> None:
    policy = RetentionPolicy(age_ns=DAY)
    async with opened(policy=policy) as store:
        await store.push([(NOW - 2 * DAY, "old"), (NOW, "new")])
    async with asyncio.timeout(10), opened(policy=policy) as store:
        while await store.count() != 1:  # noqa: ASYNC110 -- asks, does not wait
            await asyncio.sleep(0)
        assert await store.lines('{container="c"}') == [(NOW, "new")]
