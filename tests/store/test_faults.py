from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from shipper.pipeline.entry import Entry
from shipper.store.errors import StoreStartError, Unavailable
from shipper.store.ingest import Batch, Ingester
from shipper.store.limits import Limits
from shipper.store.lock import FileLock
from shipper.store.model import Stream
from shipper.store.reader import Guard, Readers
from shipper.store.schema import open_writer
from shipper.wire.errors import Answer
from tests.store.conftest import NOW, SECOND, Clock, Store


LIMITS = Limits(per_stream_burst_bytes=1 << 40)


def batch(name: str, *entries: Entry) -> Batch:
    text = f'{{container="{name}"}}'
    return Batch("fake", [Stream((("container", name),), text, list(entries))])


def test_a_full_disk_stores_nothing_and_goes_on(tmp_path: Path, clock: Clock) -> None:
    connection = open_writer(str(tmp_path / "logs.db"))
    ingester = Ingester(connection, LIMITS, clock)
    ingester.commit([batch("a", Entry(NOW, b"kept"))])
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    large = [Entry(NOW + n, b"x" * 5000) for n in range(1, 50)]
    with pytest.raises(Unavailable) as caught:
        ingester.commit([batch("new", *large), batch("a", *large)])
    assert caught.value.status == 500
    assert caught.value.text == "storing the push: database or disk is full"
    assert ingester.streams == 1  # "new" went with its transaction
    connection.execute("PRAGMA max_page_count = 1000000").fetchall()
    ingester.commit([batch("new", *large), batch("a", Entry(NOW + 1, b"after"))])
    count = connection.execute("SELECT COUNT(*) FROM entries").fetchone()
    assert count == (51,)
    connection.close()


async def test_a_failing_push_is_told_and_not_ready(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Ingester, batches: object) -> None:
        raise Unavailable("storing the push: disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(Ingester, "commit", broken)
        for _ in range(2):
            expected = (500, "storing the push: disk I/O error\n")
            assert await store.push([(NOW, "x")]) == expected
        async with store.client.get("/ready") as response:
            assert response.status == 503
            assert await response.text() == "storing the push: disk I/O error\n"
    assert await store.push([(NOW, "x")]) == (204, "")
    async with store.client.get("/ready") as response:
        assert (response.status, await response.text()) == (200, "ready\n")


async def test_health_metrics_and_buildinfo(store: Store) -> None:
    await store.push([(NOW, "abc"), (NOW - 8 * 86400 * SECOND, "old")])
    await store.push([(NOW, "abc")])
    async with store.client.get("/metrics") as response:
        lines = (await response.text()).splitlines()
    assert 'loki_distributor_lines_received_total{tenant="fake"} 2' in lines
    assert 'loki_distributor_bytes_received_total{tenant="fake"} 6' in lines
    reason = 'reason="greater_than_max_sample_age",tenant="fake"'
    assert f"loki_discarded_samples_total{{{reason}}} 1" in lines
    assert f"loki_discarded_bytes_total{{{reason}}} 3" in lines
    assert "log_store_duplicate_lines_total 1" in lines
    assert "log_store_streams 1" in lines
    async with store.client.get("/-/healthy") as response:
        assert response.status == 200
    async with store.client.get("/loki/api/v1/status/buildinfo") as response:
        assert (await response.json())["version"] == "3.4.6"


async def test_many_clients_at_once(store: Store) -> None:
    async def client(number: int) -> None:
        for part in range(10):
            lines = [(NOW + part * 10 + n, f"{number} {part} {n}") for n in range(10)]
            assert await store.push(lines, {"client": str(number % 4)}) == (204, "")

    await asyncio.gather(*(client(number) for number in range(12)))
    assert await store.count('{client=~".+"}') == 1200 or store.clock.now == NOW
    found = await store.lines('{client=~".+"}', limit=5000)
    assert len(found) == len(set(found)) == 1200


def test_a_file_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE t (a)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreStartError, match="another program's database"):
        open_writer(str(path))
    assert path.read_bytes() == before


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_bytes(b"hello " * 1000)
    with pytest.raises(StoreStartError, match="file is not a database"):
        open_writer(str(path))
    assert path.read_bytes() == b"hello " * 1000


def test_a_damaged_file(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "logs.db"
    connection = open_writer(str(path))
    ingester = Ingester(connection, LIMITS, clock)
    ingester.commit([batch(str(n), Entry(NOW, b"x")) for n in range(500)])
    connection.close()
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xa5" * (len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(StoreStartError, match=r"logs\.db: .*expected"):
        open_writer(str(path))


def test_a_newer_format(tmp_path: Path) -> None:
    path = str(tmp_path / "logs.db")
    connection = open_writer(path)
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(StoreStartError, match="format 9; expected format 1"):
        open_writer(path)


def test_one_store_per_file(tmp_path: Path) -> None:
    path = str(tmp_path / "logs.db")
    first = FileLock(path)
    with pytest.raises(StoreStartError, match="in use by another process"):
        FileLock(path)
    first.release()
    FileLock(path).release()


async def test_a_running_query_is_stopped(tmp_path: Path) -> None:
    path = str(tmp_path / "logs.db")
    open_writer(path).close()
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT COUNT(*) FROM n"
    )
    writer = open_writer(path)
    readers = Readers(path, 50_000_000)

    def work(connection: sqlite3.Connection, guard: Guard) -> None:
        connection.execute(endless).fetchall()

    with pytest.raises(Answer) as caught:
        await readers.run(work)
    assert caught.value.status == 504
    slow = Readers(path, 600 * SECOND)
    started = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait(connection: sqlite3.Connection, guard: Guard) -> None:
        loop.call_soon_threadsafe(started.set)
        connection.execute(endless).fetchall()

    running = asyncio.ensure_future(slow.run(wait))
    await started.wait()
    running.cancel()  # its client is gone
    with pytest.raises(asyncio.CancelledError):
        await running
    slow.close()  # returns only when the thread is free
    readers.close()
    writer.close()
