from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import zlib
from contextlib import ExitStack
from pathlib import Path

import pytest

from exporters.nginx.errors import ScrapeError
from exporters.nginx.http.client import MAX_BODY_BYTES, Answer
from exporters.nginx.http.resolver import Found
from exporters.nginx.stub_status import StubStatus
from tests.nginx.conftest import Connect, always, fake_nginx, page, response


OK = response(page())
STATUS = StubStatus(7, 16, 15, 31, 1, 2, 4)
PATIENCE = 30.0


class Names:
    """Resolve every name to *addresses*."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(
        self, host: str, port: int, family: int = socket.AF_UNSPEC
    ) -> list[Found]:
        return [
            Found(socket.AF_INET6 if ":" in address else socket.AF_INET, address, port)
            for address in self.addresses
        ]


def _port(uri: str) -> int:
    return int(uri.split(":")[2].split("/", maxsplit=1)[0])


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
            "body is cut off or damaged, expected what its header announces",
            id="truncated",
        ),
        pytest.param(
            always(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nActive",
                close=True,
            ),
            "body is cut off or damaged, expected what its header announces",
            id="truncated chunk",
        ),
        pytest.param(
            always(b"", close=True),
            "connection closed without an answer, expected an HTTP response",
            id="closed",
        ),
        pytest.param(
            always(response(b"x" * (MAX_BODY_BYTES + 1))),
            f"expected a body of at most {MAX_BODY_BYTES} bytes, got more, "
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
            "stopped after 10 redirects",
            id="redirect loop",
        ),
        pytest.param(
            always(response(b"", "302 Found", "Location: ftp://u:sekret@h/")),
            "redirected to something that is not an http URL",
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
        pytest.param(b"x" * 100_000, id="one long line"),
        pytest.param(b"HTTP/1.1 200 OK\r\n(: " + b"x" * 50_000, id="long name"),
        pytest.param(b"\x16\x03\x01\x00\xff\x00", id="binary"),
        pytest.param(b"HTTP/1.1 abc\r\n\r\n", id="status line"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, id="long header"),
    ],
)
async def test_not_http(connect: Connect, data: bytes) -> None:
    async with fake_nginx(always(data, close=True)) as (_, uri):
        text = await _error(connect, uri)
    assert text.startswith("expected an HTTP response, got")
    assert len(text) < 300


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
    assert await _error(connect, uri) == (
        f"connect to 127.0.0.1:{_port(uri)}: Connection refused"
    )


async def test_no_such_name(connect: Connect) -> None:
    text = await _error(connect, "http://nginx.invalid:8080/stub_status")
    assert text.startswith("look up host nginx.invalid: ")


@pytest.mark.parametrize("name", ["a..b", "a" * 64 + ".example"])
async def test_a_name_that_no_host_can_have(connect: Connect, name: str) -> None:
    text = await _error(connect, f"http://{name}/")
    assert text == f"look up host {name}: Name or service not known"


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


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\n" + page(), id="HTTP/1.0, until it ends"),
        pytest.param(
            b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(page()) + page(),
            id="HTTP/1.0 with a length",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n" + page(), id="HTTP/1.1 until it ends"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n"
            % (page()[:5], len(page()) - 5, page()[5:]),
            id="chunked",
        ),
        pytest.param(b"HTTP/1.1 200\r\n\r\n" + page(), id="no reason"),
        pytest.param(
            response(gzip.compress(page()), "200 OK", "Content-Encoding: gzip"),
            id="gzip, although not asked for",
        ),
        pytest.param(
            response(zlib.compress(page()), "200 OK", "Content-Encoding: deflate"),
            id="deflate, although not asked for",
        ),
        pytest.param(
            response(page(), "200 OK", "X: " + "y" * 20_000), id="a long header"
        ),
        pytest.param(
            b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, id="early hints"
        ),
    ],
)
async def test_other_answers(connect: Connect, data: bytes) -> None:
    async with fake_nginx(always(data, close=True)) as (_, uri):
        client = await connect(uri)
        assert await client.fetch(PATIENCE) == STATUS


async def test_a_compressed_body_is_bounded_too(connect: Connect) -> None:
    bomb = response(gzip.compress(bytes(10**8), 1), "200 OK", "Content-Encoding: gzip")
    async with fake_nginx(always(bomb)) as (_, uri):
        text = await _error(connect, uri)
    assert text.startswith(f"expected a body of at most {MAX_BODY_BYTES} bytes, got")


async def test_get_returns_what_is_not_200_and_cuts_it(connect: Connect) -> None:
    page_404 = response(b"x" * 100, "404 Not Found")
    async with fake_nginx(always(page_404)) as (fake, uri):
        client = await connect(uri.replace("/stub_status", "/api/?a=b"))
        assert await client.get("/9/nginx", max_bytes=10) == Answer(404, b"x" * 10)
    assert fake.requests[0].startswith("GET /api/9/nginx?a=b HTTP/1.1\r\n")


async def test_what_is_not_200_needs_no_room(connect: Connect) -> None:
    page_404 = response(b"x" * (MAX_BODY_BYTES + 1), "404 Not Found")
    async with fake_nginx(always(page_404)) as (_, uri):
        answer = await (await connect(uri)).get(max_bytes=1 << 30)
    assert len(answer.body) == MAX_BODY_BYTES


async def test_a_redirect_is_an_answer_where_none_is_followed(connect: Connect) -> None:
    moved = response(b"", "302 Found", "Location: http://169.254.169.254/")
    async with fake_nginx(always(moved)) as (_, uri):
        client = await connect(uri, follow_redirects=False)
        with pytest.raises(ScrapeError, match="expected 200 response, got 302"):
            await client.fetch(PATIENCE)


async def test_a_unix_socket_speaks_no_tls(connect: Connect, tmp_path: Path) -> None:
    moved = response(b"", "302 Found", "Location: https://unix/")
    async with fake_nginx(always(moved), path=tmp_path / "s") as (_, uri):
        assert await _error(connect, uri) == "redirected to https on a unix socket"


async def test_several_stale_connections_are_left_one_after_the_other(
    connect: Connect,
) -> None:
    """nginx closes each when the next request arrives: no false nginx_up 0."""
    together = asyncio.Barrier(3)
    answered: set[asyncio.StreamWriter] = set()

    async def answer(writer: asyncio.StreamWriter) -> None:
        if writer in answered:
            writer.close()
            return
        if len(answered) < 3:
            answered.add(writer)
            await together.wait()
        writer.write(OK)

    async with fake_nginx(answer) as (fake, uri):
        client = await connect(uri)
        await asyncio.gather(*[client.fetch(PATIENCE) for _ in range(3)])
        assert fake.connections == 3
        assert await client.fetch(PATIENCE) == STATUS
        assert fake.connections == 4
        assert len(fake.requests) == 3 + 3 + 1


@pytest.mark.parametrize(
    "unasked",
    [
        pytest.param(response(page(99)), id="a second answer"),
        pytest.param(
            response(b"", "408 Request Timeout"), id="HAProxy when it is idle"
        ),
        pytest.param(b"junk", id="junk"),
    ],
)
@pytest.mark.parametrize("name", [None, "nginx.sock"])
async def test_what_comes_unasked_is_no_answer(
    connect: Connect, unasked: bytes, name: str | None, tmp_path: Path
) -> None:
    writers: list[asyncio.StreamWriter] = []

    async def answer(writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(OK)

    path = tmp_path / name if name else None
    async with fake_nginx(answer, path=path) as (fake, uri):
        client = await connect(uri)
        assert await client.fetch(PATIENCE) == STATUS
        writers[0].write(unasked)
        # What was sent first is there by the time that this is answered.
        await (await connect(uri)).fetch(PATIENCE)
        assert await client.fetch(PATIENCE) == STATUS
        assert fake.connections == 3


async def test_a_new_connection_that_is_closed_is_no_reason_to_go_on(
    connect: Connect,
) -> None:
    async with fake_nginx(always(b"", close=True)) as (fake, uri):
        assert (await _error(connect, uri)).startswith("connection closed without")
        assert fake.connections == 1


async def test_a_container_that_comes_back_elsewhere(connect: Connect) -> None:
    names = Names("127.0.0.1")
    async with fake_nginx(always(OK)) as (_, first):
        port = _port(first)
        client = await connect(f"http://nginx:{port}/", resolver=names)
        assert await client.fetch(PATIENCE) == STATUS
    async with fake_nginx(always(OK), address=("127.0.0.2", port)):
        names.addresses = ("127.0.0.2",)
        assert await client.fetch(PATIENCE) == STATUS


@pytest.mark.parametrize("proxy_protocol", [False, True])
async def test_an_address_that_does_not_answer(
    connect: Connect, proxy_protocol: bool
) -> None:
    """Its backlog is full, so packets to it vanish, as with a dead IPv6 route."""
    async with fake_nginx(always(OK)) as (fake, uri):
        port = _port(uri)
        with ExitStack() as stack:
            dead, *waiting = [
                stack.enter_context(socket.socket(socket.AF_INET6)) for _ in range(4)
            ]
            dead.bind(("::1", port))
            dead.listen(0)
            for each in waiting:
                each.setblocking(False)
                each.connect_ex(("::1", port))
            client = await connect(
                f"http://nginx:{port}/",
                resolver=Names("::1", "127.0.0.1"),
                proxy_protocol=proxy_protocol,
            )
            fetching = asyncio.create_task(client.fetch(PATIENCE))
            async with asyncio.timeout(PATIENCE):
                await fake.asked.wait()  # it takes a PROXY header for a request
            fetching.cancel()
            await asyncio.wait([fetching])
    assert fake.connections == 1


async def test_all_addresses_refused(connect: Connect) -> None:
    async with fake_nginx(always(OK)) as (_, uri):
        pass
    client = await connect(
        f"http://nginx:{_port(uri)}/", resolver=Names("127.0.0.1", "127.0.0.2")
    )
    with pytest.raises(ScrapeError) as caught:
        await client.fetch(PATIENCE)
    assert str(caught.value) == f"connect to nginx:{_port(uri)}: Connection refused"


async def test_an_address_that_is_none(connect: Connect) -> None:
    assert (await _error(connect, "http://127.1/")).startswith("not a URL that can be")


async def test_certificate_errors_say_why(connect: Connect, certificate: Path) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    async with fake_nginx(always(OK), tls=server) as (_, uri):
        where = f"connect to 127.0.0.1:{_port(uri)}: "
        client = await connect(uri, ssl.create_default_context())
        with pytest.raises(ScrapeError) as caught:
            await client.fetch(PATIENCE)
        assert str(caught.value) == (
            f"{where}certificate verify failed: self-signed certificate"
        )
        plain = uri.replace("https:", "http:")
        assert (await _error(connect, plain)).startswith(("connection", "expected an"))


async def test_a_handshake_that_is_broken_off(connect: Connect) -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        text = await _error(connect, f"https://127.0.0.1:{port}/")
    reason = "connection closed during the TLS handshake"
    assert text in {
        f"connect to 127.0.0.1:{port}: {reason}",
        f"connect to 127.0.0.1:{port}: Connection reset by peer",
    }


async def test_https_to_a_port_that_speaks_http(connect: Connect) -> None:
    def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(response(b"", "400 Bad Request"))
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        text = await _error(connect, f"https://127.0.0.1:{port}/")
    assert text.startswith(f"connect to 127.0.0.1:{port}: ")
