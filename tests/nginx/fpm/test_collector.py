from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from exporters.nginx.fpm.client import FpmClient
from tests.nginx.fpm.conftest import (
    Collect,
    always,
    answer,
    decode_request,
    fake_fpm,
    reasons,
    record,
    samples,
)
from tests.nginx.fpm.pages import child, page


PAGE = answer(page(child()))


async def test_what_is_asked(collector: Collect) -> None:
    async with fake_fpm(always(PAGE)) as (fake, uri):
        families = await collector(f"{uri}?a=b").collect(None)
    assert samples(families, "phpfpm_up") == {f"{uri}?a=b": 1}
    _, params = decode_request(fake.requests[0])
    assert params["SCRIPT_NAME"] == "/status"
    assert params["SCRIPT_FILENAME"] == "/dev/null/status"
    assert params["QUERY_STRING"] == "json&full&a=b"
    assert params["REQUEST_METHOD"] == "GET"


async def test_pools_are_asked_at_once_and_a_hung_one_keeps_nobody_waiting(
    collector: Collect, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    everyone = asyncio.Barrier(3)

    async def good(writer: asyncio.StreamWriter) -> None:
        await everyone.wait()
        writer.write(PAGE)

    async def hung(writer: asyncio.StreamWriter) -> None:
        await everyone.wait()
        await asyncio.Event().wait()

    async with (
        fake_fpm(good) as (_, a),
        fake_fpm(hung, path=tmp_path / "b") as (_, b),
        fake_fpm(good, path=tmp_path / "c") as (_, c),
    ):
        families = await collector(a, b, c, timeout=0.5).collect(None)
    assert samples(families, "phpfpm_up") == {a: 1, b: 0, c: 1}
    assert samples(families, "phpfpm_accepted_connections") == {a: 31, c: 31}
    (entry,) = caplog.records
    assert entry.levelno == logging.ERROR
    assert entry.getMessage() == "error scraping php-fpm"
    assert entry.__dict__["fields"] == {
        "uri": b,
        "error": f"unix socket {tmp_path}/b: no answer within 0.5s: are all children "
        "busy? pm.status_listen (PHP 8.0) is answered all the same",
    }


async def test_failures_are_counted_and_the_name_is_kept(collector: Collect) -> None:
    answers = iter([b"", PAGE, b"junk"])

    async def next_one(writer: asyncio.StreamWriter) -> None:
        writer.write(next(answers))

    seen = []
    async with fake_fpm(next_one) as (_, uri):
        collect = collector(uri).collect
        for _ in range(3):
            families = await collect(None)
            ups = samples(families, "phpfpm_up", "pool")
            seen.append((ups, samples(families, "phpfpm_scrape_failures", "pool")))
    assert seen == [
        ({"": 0}, {"": 1}),
        ({"www": 1}, {"www": 1}),
        ({"www": 0}, {"www": 2}),
    ]


async def test_fix_process_count(collector: Collect) -> None:
    states = ("Idle", "Running", "Ending", "Getting request information", "Idle")
    body = page(*(child(state=state) for state in states))
    async with fake_fpm(always(answer(body))) as (_, uri):
        plain = await collector(uri).collect(None)
        fixed = await collector(uri, fix_process_count=True).collect(None)
    names = [f"phpfpm_{kind}_processes" for kind in ("idle", "active", "total")]
    assert [samples(plain, name)[uri] for name in names] == [1, 2, 3]
    assert [samples(fixed, name)[uri] for name in names] == [2, 3, 5]


async def test_a_page_of_a_thousand_children(collector: Collect) -> None:
    body = page(*(child(uri="/" + "u" * 600) for _ in range(1000)))
    async with fake_fpm(always(answer(body))) as (_, uri):
        families = await collector(uri).collect(None)
    assert len(samples(families, "phpfpm_process_requests", "child")) == 1000


BUSY = answer(
    b"Server busy. Please try again later.", "Status: 503 Service Unavailable"
)
REFUSED = record(7, b"Primary script unknown") + answer(
    b"File not found.\n", "Status: 404 Not Found"
)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (
            REFUSED,
            (
                "asked for /status: expected status 200, got 404 'File not found.' / "
                "'Primary script unknown': does the pool have pm.status_path = /status?"
            ),
        ),
        (
            BUSY,
            (
                "asked for /status: expected status 200, got 503 'Server busy. "
                "Please try again later.'"
            ),
        ),
        (answer(b"pong"), "expected a status page in JSON, got 'pong'"),
        (
            b"HTTP/1.1 400 Bad Request\r\n",
            (
                r"expected a FastCGI record, got 'HTTP/1.1 400 Bad Request\r\n': is "
                "this the address of php-fpm?"
            ),
        ),
        (
            b"",
            (
                "connection closed without an answer, expected a FastCGI record: may "
                "this address ask (listen.allowed_clients of the pool)?"
            ),
        ),
        (record(6, b"A: b"), "answer ends too early, expected an END_REQUEST record"),
        (
            answer(b"x" * (8 << 20)),
            "expected a status page, got more than 8388608 bytes",
        ),
    ],
)
async def test_answers_that_are_no_page(
    collector: Collect, caplog: pytest.LogCaptureFixture, data: bytes, error: str
) -> None:
    async with fake_fpm(always(data)) as (_, uri):
        families = await collector(uri).collect(None)
    assert samples(families, "phpfpm_up") == {uri: 0}
    assert reasons(caplog) == [error]


async def test_nobody_there(
    collector: Collect, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    uris = (
        f"tcp://127.0.0.1:{port}/status",
        f"unix:{tmp_path}/none:/status",
        "tcp://php.invalid/status",
        f"tcp://{'a' * 70}/status",
        f"unix:{tmp_path}/{'a' * 200}:/status",
    )
    families = await collector(*uris).collect(None)
    assert samples(families, "phpfpm_up") == dict.fromkeys(uris, 0)
    said = sorted(reasons(caplog))
    assert f"127.0.0.1 port {port}: Connection refused" in said
    assert f"unix socket {tmp_path}/none: No such file or directory" in said
    assert any(text.startswith("php.invalid port 9000: ") for text in said)
    assert not any("unexpected" in text or "Errno" in text for text in said)


async def test_a_full_listen_queue(
    collector: Collect, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """asyncio alone would take such a socket for connected."""
    with socket.socket(socket.AF_UNIX) as full:
        full.bind(str(tmp_path / "full"))
        full.listen(0)
        with socket.socket(socket.AF_UNIX) as first:
            first.connect(str(tmp_path / "full"))
            uri = f"unix:{tmp_path}/full:/status"
            families = await collector(uri).collect(None)
    assert samples(families, "phpfpm_socket_listen_queue") == {uri: 1}
    assert samples(families, "phpfpm_socket_listen_queue_length") == {uri: 0}
    assert reasons(caplog) == [
        (
            f"unix socket {tmp_path}/full: its listen queue is full, expected room "
            "(listen.backlog of the pool)"
        )
    ]


async def test_localhost_is_more_than_one_address(collector: Collect) -> None:
    async with fake_fpm(always(PAGE)) as (_, uri):
        there = uri.replace("127.0.0.1", "localhost")
        families = await collector(there).collect(None)
    assert samples(families, "phpfpm_up") == {there: 1}


async def test_the_scrapers_patience_counts(collector: Collect) -> None:
    async def hung(writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with fake_fpm(hung) as (fake, uri), asyncio.timeout(20):
        await collector(uri, timeout=0).collect(0.5)
    assert len(fake.requests) <= 1


async def test_a_scrape_that_is_cancelled_leaves_no_connection(
    collector: Collect,
) -> None:
    gone = asyncio.Event()

    async def until_gone(writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(record(11, b"x" * 60_000))
                await writer.drain()
        except ConnectionError:
            gone.set()

    async with fake_fpm(until_gone) as (fake, uri), asyncio.timeout(20):
        scrape = asyncio.create_task(collector(uri).collect(None))
        await fake.asked.wait()
        scrape.cancel()
        with pytest.raises(asyncio.CancelledError):
            await scrape
        await gone.wait()


async def test_a_flood_holds_up_nobody(collector: Collect) -> None:
    """Bytes that are always there already: reading them is no reason to wait."""
    flood = record(6, b"") * 8192

    def send(server: socket.socket) -> None:
        with server.accept()[0] as sock, suppress(OSError):
            until = time.monotonic() + 10
            while time.monotonic() < until:
                sock.sendall(flood)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=send, args=(server,))
        thread.start()
        uri = f"tcp://127.0.0.1:{server.getsockname()[1]}/status"
        began = time.monotonic()
        families = await collector(uri, timeout=0.2).collect(None)
        taken = time.monotonic() - began
        thread.join()
    assert samples(families, "phpfpm_up") == {uri: 0}
    assert taken < 5


async def test_credentials_are_nowhere(
    collector: Collect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with fake_fpm(always(b"junk")) as (fake, uri):
        given = uri.replace("//", "//u:sekret@")
        families = await collector(given).collect(None)
    assert samples(families, "phpfpm_up") == {uri: 0}
    logged = "".join(repr(entry.__dict__) for entry in caplog.records)
    assert "sekret" not in repr(families) + logged + repr(fake.requests)


async def test_a_defect_of_ours_is_one_pool_down(
    collector: Collect,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(self: FpmClient, timeout_seconds: float) -> None:
        raise KeyError("sekret")

    monkeypatch.setattr(FpmClient, "fetch", broken)
    families = await collector("tcp://h/s").collect(None)
    assert samples(families, "phpfpm_up") == {"tcp://h/s": 0}
    assert reasons(caplog) == ["unexpected KeyError"]
