from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from exporters.nginx.client import MAX_BODY_BYTES
from exporters.nginx.errors import ScrapeError
from exporters.nginx.stub_status import StubStatus
from tests.nginx.conftest import Connect, always, fake_nginx, page, response


OK = response(page())
STATUS = StubStatus(7, 16, 15, 31, 1, 2, 4)
PATIENCE = 30.0


async def _error(connect: Connect, uri: str, timeout_seconds: float = PATIENCE) -> str:
    client = await connect(uri)
    with pytest.raises(ScrapeError) as caught:
        await client.fetch(timeout_seconds)
    text = str(caught.value)
    assert "\n" not in text
    return text


async def test_page(connect: Connect) -> None:
    async with fake_nginx(always(OK)) as (fake, uri):
        client = await connect(uri)
        assert await client.fetch(PATIENCE) == STATUS
        assert await client.fetch(PATIENCE) == STATUS
    assert fake.connections == 1, "the connection is kept"
    head = fake.requests[0]
    assert head.startswith("GET /stub_status HTTP/1.1\r\n")
    assert "\r\nUser-Agent: NGINX-Prometheus-Exporter\r\n" in head
    assert "authorization" not in head.lower()


async def test_credentials_are_sent(connect: Connect) -> None:
    async with fake_nginx(always(OK)) as (fake, uri):
        client = await connect(uri.replace("//", "//u:sekret@"))
        assert await client.fetch(PATIENCE) == STATUS
    assert "\r\nAuthorization: Basic dTpzZWtyZXQ=\r\n" in fake.requests[0]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        pytest.param(
            always(response(b"", "401 Unauthorized")),
            "expected 200 response, got 401",
            id="401",
        ),
        pytest.param(
            always(response(page(), "500 Internal Server Error")),
            "expected 200 response, got 500",
            id="500 with a good body",
        ),
        pytest.param(
            always(b"HTTP/1.1 204 No Content\r\n\r\n"),
            "expected 200 response, got 204",
            id="204",
        ),
        pytest.param(
            always(response(b"<html>hi</html>")),
            "body, line 1: expected 'Active connections: N', got '<html>hi</html>'",
            id="html",
        ),
        pytest.param(
            always(response(b"")),
            "body, line 1: expected 'Active connections: N', got ''",
            id="empty",
        ),
        pytest.param(
            always(OK[:-9], close=True),
            "body ends too early, expected the length its header announces",
            id="truncated",
        ),
        pytest.param(
            always(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nActive",
                close=True,
            ),
            "body ends too early, expected the length its header announces",
            id="truncated chunk",
        ),
        pytest.param(
            always(b"", close=True),
            "connection closed without an answer, expected an HTTP response",
            id="closed",
        ),
        pytest.param(
            always(response(b"x" * (MAX_BODY_BYTES + 1))),
            f"expected a stub_status page, got more than {MAX_BODY_BYTES} bytes "
            f"beginning with '{'x' * 80}'...",
            id="too long",
        ),
        pytest.param(
            always(response(page(2**63))),
            "body, line 3: expected a number from 0 to 9223372036854775807, "
            "got '9223372036854775808'",
            id="overflow",
        ),
        pytest.param(
            always(response(page(-1))),
            "body, line 3: expected a number from 0 to 9223372036854775807, got '-1'",
            id="negative",
        ),
        pytest.param(
            always(response(b"", "302 Found", "Location: /again")),
            "stopped after 10 redirects, expected a stub_status page",
            id="redirect loop",
        ),
        pytest.param(
            always(response(b"", "302 Found", "Location: ftp://u:sekret@h/")),
            "redirected to something that is not an http URL, expected 200 response",
            id="redirect to ftp",
        ),
    ],
)
async def test_fault(
    connect: Connect,
    answer: object,
    text: str,
) -> None:
    assert callable(answer)
    async with fake_nginx(answer) as (_, uri):
        assert await _error(connect, uri) == text


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.2p1\r\n", id="ssh"),
        pytest.param(b"\x16\x03\x01\x00\xff\x00", id="binary"),
        pytest.param(b"HTTP/1.1 abc\r\n\r\n", id="status line"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, id="long header"),
    ],
)
async def test_not_http(connect: Connect, data: bytes) -> None:
    async with fake_nginx(always(data, close=True)) as (_, uri):
        assert (await _error(connect, uri)).startswith("expected an HTTP response, got")


async def test_after_a_fault_the_next_scrape_is_clean(connect: Connect) -> None:
    answers = iter([OK[:-9], OK])

    async def answer(writer: asyncio.StreamWriter) -> None:
        data = next(answers)
        writer.write(data)
        if data != OK:
            await writer.drain()
            writer.close()

    async with fake_nginx(answer) as (_, uri):
        client = await connect(uri)
        with pytest.raises(ScrapeError):
            await client.fetch(PATIENCE)
        assert await client.fetch(PATIENCE) == STATUS


async def test_restart_between_scrapes(connect: Connect) -> None:
    """A kept connection that nginx closed meanwhile is not an error."""
    async with fake_nginx(always(OK, close=True)) as (fake, uri):
        client = await connect(uri)
        for _ in range(3):
            assert await client.fetch(PATIENCE) == STATUS
    assert fake.connections == 3


async def test_redirect_is_followed_without_credentials_elsewhere(
    connect: Connect,
) -> None:
    async with fake_nginx(always(OK)) as (last, last_uri):
        moved = response(b"", "301 Moved Permanently", f"Location: {last_uri}")
        async with fake_nginx(always(moved)) as (_, uri):
            client = await connect(uri.replace("//", "//u:sekret@"))
            assert await client.fetch(PATIENCE) == STATUS
    assert "authorization" not in last.requests[0].lower()


async def test_refused(connect: Connect) -> None:
    async with fake_nginx(always(OK)) as (_, uri):
        pass
    port = uri.split(":")[2].split("/")[0]
    assert await _error(connect, uri) == (
        f"connect to 127.0.0.1:{port}: Connection refused"
    )


async def test_no_such_name(connect: Connect) -> None:
    text = await _error(connect, "http://nginx.invalid:8080/stub_status")
    assert text.startswith("look up host nginx.invalid: ")


async def test_no_such_socket(connect: Connect, tmp_path: Path) -> None:
    text = await _error(connect, f"unix:{tmp_path}/none.sock:/stub_status")
    assert text == (
        f"connect to unix socket {tmp_path}/none.sock: No such file or directory"
    )


async def test_unix_socket_with_a_colon(connect: Connect, tmp_path: Path) -> None:
    async with fake_nginx(always(OK), path=tmp_path / "a:b") as (fake, uri):
        client = await connect(uri)
        assert await client.fetch(PATIENCE) == STATUS
    assert fake.requests[0].startswith("GET /stub_status HTTP/1.1\r\nHost: unix\r\n")


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(b"", id="no answer"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", id="half a header"),
        pytest.param(OK[:-9], id="half a body"),
    ],
)
async def test_hung_nginx_is_left(connect: Connect, first: bytes) -> None:
    release = asyncio.Event()

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        await writer.drain()
        await release.wait()

    async with fake_nginx(answer) as (fake, uri):
        text = await _error(connect, uri, timeout_seconds=0.05)
        # The answer came while nginx still hung, or this line was never reached.
        assert not release.is_set()
        assert fake.asked.is_set()
        assert text == "no complete answer within 0.05s"
        release.set()


async def test_trickling_nginx_is_left(connect: Connect) -> None:
    """The limit is for the whole answer, not for the pause between two bytes."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"1\r\nA\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with fake_nginx(answer) as (_, uri):
        text = await _error(connect, uri, timeout_seconds=0.1)
        assert text == "no complete answer within 0.1s"


async def test_tls(connect: Connect, certificate: Path) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=f"{certificate}.crt")
    async with fake_nginx(always(OK), tls=server) as (_, uri):
        unverified = await connect(uri)
        assert await unverified.fetch(PATIENCE) == STATUS
        verified = await connect(uri, trusting)
        assert await verified.fetch(PATIENCE) == STATUS
        stranger = await connect(uri, ssl.create_default_context())
        with pytest.raises(ScrapeError, match="certificate verify failed"):
            await stranger.fetch(PATIENCE)
