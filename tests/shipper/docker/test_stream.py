from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from shipper.docker.host import Deadlines, DockerHost
from shipper.docker.stream import DockerError, DockerRefusedError, get

from .conftest import HEADERS, LAST_CHUNK, FakeDocker, chunk, hang, reply, send, whole


QUICK = Deadlines(connect_seconds=0.5, headers_seconds=0.2)


def unix(fake: FakeDocker) -> DockerHost:
    return DockerHost(f"unix://{fake.path}")


async def body(host: DockerHost) -> tuple[bytes, bool]:
    async with await get(host, "/v1.41/containers/a/logs", QUICK) as response:
        data = b""
        while part := await response.read():
            data += part
        return data, response.complete


async def test_an_orderly_end_and_a_cut_are_told_apart(fake: FakeDocker) -> None:
    fake.logs = [whole(b"abc", b"def"), send(HEADERS, chunk(b"abc"), b"3\r\nd")]
    assert await body(unix(fake)) == (b"abcdef", True)
    assert await body(unix(fake)) == (b"abcd", False)


async def test_over_tcp() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        writer.write(HEADERS + chunk(request) + LAST_CHUNK)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    host = DockerHost(f"tcp://127.0.0.1:{port}", headers={"Authorization": "Basic x"})
    data, complete = await body(host)
    server.close()
    await server.wait_closed()
    assert complete
    assert data.splitlines() == [
        b"GET /v1.41/containers/a/logs HTTP/1.1",
        b"Host: 127.0.0.1:%d" % port,
        b"User-Agent: shipper",
        b"Authorization: Basic x",
        b"",
    ]
    assert "Basic x" not in repr(host)


@pytest.mark.parametrize(
    ("answer", "status", "message"),
    [
        (
            reply({"message": "No such\ncontainer"}, "404 Not Found"),
            404,
            "No such container",
        ),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\noops", 502, "oops"),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", 500, "no message"),
        (reply([1], "500 Oops"), 500, "[1]"),
    ],
)
async def test_refusals_are_one_line(
    fake: FakeDocker, answer: bytes, status: int, message: str
) -> None:
    fake.logs = [send(answer)]
    with pytest.raises(DockerRefusedError) as caught:
        await body(unix(fake))
    assert caught.value.status == status
    what = f"unix://{fake.path} GET /v1.41/containers/a/logs"
    assert str(caught.value) == f"{what}: HTTP {status}: {message}"


async def test_no_headers_in_time(fake: FakeDocker) -> None:
    fake.logs = [hang]
    with pytest.raises(DockerError, match=r"logs: no answer within 0\.2 s$"):
        await body(unix(fake))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "connection closed before an answer"),
        (b"HTTP/1.1 200 OK\r\nTransfer", "connection closed before an answer"),
        (b"rubbish\r\n\r\n", "not HTTP: "),
    ],
)
async def test_no_answer(fake: FakeDocker, answer: bytes, message: str) -> None:
    fake.logs = [send(answer)]
    with pytest.raises(DockerError, match=message):
        await body(unix(fake))


async def test_nobody_there(tmp_path: Path) -> None:
    host = DockerHost(f"unix://{tmp_path}/none.sock")
    with pytest.raises(DockerError, match=r"none.sock: No such file or directory$"):
        await body(host)


@pytest.mark.parametrize(
    "url", ["", "unix://", "/var/run/docker.sock", "ssh://a", "tcp://"]
)
def test_no_host(url: str) -> None:
    with pytest.raises(ValueError, match="expected unix:///path, tcp://host:port"):
        DockerHost(url)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("tcp://h:1", ("h", 1)),
        ("tcp://h", ("h", 2375)),
        ("http://h", ("h", 80)),
        ("https://[::1]:5", ("::1", 5)),
        ("https://h", ("h", 443)),
    ],
)
def test_addresses(url: str, address: tuple[str, int]) -> None:
    assert DockerHost(url).address == address


def test_tls_only_where_it_is_spoken() -> None:
    assert DockerHost("https://h").tls is not None
    assert DockerHost("tcp://h").tls is None
