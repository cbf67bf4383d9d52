"""The PROXY protocol header: as bytes, beside upstream's, and to a real nginx."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.nginx.errors import ScrapeError
from exporters.nginx.http.headers import read_headers
from exporters.nginx.http.proxy_protocol import SIGNATURE, tcp_header, unix_header
from tests.nginx.conftest import (
    Connect,
    FakeNginx,
    RealNginx,
    Start,
    always,
    fake_nginx,
    page,
    response,
)
from tests.programs import program


PATIENCE = 30.0
FIXED_BYTES = 16
SIGNED = bytes.fromhex("0d0a0d0a000d0a515549540a")


@pytest.mark.parametrize(
    ("source", "destination", "rest"),
    [
        pytest.param(
            ("127.0.0.1", 0x1234),
            ("10.1.2.3", 80),
            "2111000c 7f000001 0a010203 1234 0050",
            id="TCP4",
        ),
        pytest.param(
            ("::1", 65535),
            ("fe80::2%eth0", 1),
            f"21210024 {'0' * 31}1 fe80{'0' * 27}2 ffff 0001".replace(
                "00021", "0002 1"
            ),
            id="TCP6, the zone left out",
        ),
        pytest.param(
            ("::ffff:127.0.0.1", 1),
            ("::ffff:10.1.2.3", 2),
            "2111000c 7f000001 0a010203 0001 0002",
            id="IPv4 in IPv6",
        ),
        pytest.param(
            ("127.0.0.1", 1),
            ("::1", 2),
            f"21210024 {'0' * 20}ffff7f000001 {'0' * 31}1 0001 0002",
            id="one of each",
        ),
    ],
)
def test_tcp(source: tuple[str, int], destination: tuple[str, int], rest: str) -> None:
    assert tcp_header(source, destination) == SIGNED + bytes.fromhex(rest)


@pytest.mark.parametrize(
    ("source", "destination", "written"),
    [
        (b"", b"/run/n.sock", (b"@", b"/run/n.sock")),
        (b"/a", b"/" + b"b" * 107, (b"/a", b"/" + b"b" * 107)),
        (b"/a", b"/" + b"b" * 200, (b"/a", b"/" + b"b" * 107)),
    ],
)
def test_unix(source: bytes, destination: bytes, written: tuple[bytes, bytes]) -> None:
    blocks = b"".join(path.ljust(108, b"\0") for path in written)
    assert unix_header(source, destination) == SIGNED + b"\x21\x31\x00\xd8" + blocks


def _read(header: bytes) -> tuple[str, int, str, int]:
    """Read a TCP header as haproxy's specification lays it out."""
    signature, version, family, length = struct.unpack("!12sBBH", header[:FIXED_BYTES])
    assert (signature, version) == (SIGNATURE, 0x21)
    block = header[FIXED_BYTES:]
    assert length == len(block)
    kind, size = {0x11: (IPv4Address, 4), 0x21: (IPv6Address, 16)}[family]
    ports = struct.unpack("!HH", block[2 * size :])
    ends = (str(kind(block[:size])), str(kind(block[size : 2 * size])))
    return ends[0], ports[0], ends[1], ports[1]


PORT = st.integers(0, 65535)


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6), PORT, PORT)
def test_what_is_written_is_what_is_read(
    address: IPv4Address | IPv6Address, one: int, other: int
) -> None:
    text = str(address)
    read = _read(tcp_header((text, one), (text, other)))
    plain = getattr(address, "ipv4_mapped", None) or address
    assert (ip_address(read[0]), read[1]) == (plain, one)
    assert (ip_address(read[2]), read[3]) == (plain, other)


@dataclass
class Recorder:
    """Take a PROXY header off each connection, then be an nginx."""

    nginx: FakeNginx
    listener: socket.socket
    tls: ssl.SSLContext | None
    headers: list[bytes] = field(default_factory=list)
    expected: list[bytes] = field(default_factory=list)

    async def run(self) -> None:
        """Serve one connection after the other."""
        loop = asyncio.get_running_loop()
        while True:
            sock, _ = await loop.sock_accept(self.listener)
            self.expected.append(_expected(sock))
            self.headers.append(await _take_header(sock))
            with suppress(OSError):  # the other side may not like our certificate
                await loop.connect_accepted_socket(self._protocol, sock, ssl=self.tls)

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(), self.nginx.serve)


async def _take_header(sock: socket.socket) -> bytes:
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    header = b""
    while len(header) < FIXED_BYTES or len(header) < FIXED_BYTES + header[15]:
        wanted = FIXED_BYTES if len(header) < FIXED_BYTES else FIXED_BYTES + header[15]
        received = await loop.sock_recv(sock, wanted - len(header))
        assert received, "the connection ended within the header"
        header += received
    return header


def _expected(sock: socket.socket) -> bytes:
    source, destination = sock.getpeername(), sock.getsockname()
    if sock.family == socket.AF_UNIX:
        return unix_header(source.encode(), destination.encode())
    return tcp_header(source[:2], destination[:2])


@asynccontextmanager
async def recording(
    place: str, tmp_path: Path, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[Recorder, str]]:
    """Record what arrives at *place*, an address or ``unix``."""
    if place == "unix":
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(f"{tmp_path}/n.sock")
        uri = f"unix:{tmp_path}/n.sock:/s"
    else:
        listener = socket.create_server(
            (place, 0), family=socket.AF_INET6 if ":" in place else socket.AF_INET
        )
        host = f"[{place}]" if ":" in place else place
        port = listener.getsockname()[1]
        uri = f"{'https' if tls else 'http'}://{host}:{port}/s"
    listener.listen()
    listener.setblocking(False)
    recorder = Recorder(FakeNginx(always(response(page()))), listener, tls)
    task = asyncio.create_task(recorder.run())
    try:
        yield recorder, uri
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await recorder.nginx.close()
        listener.close()


@pytest.mark.parametrize("place", ["127.0.0.1", "::1", "unix"])
async def test_header_once_in_front_of_each_connection(
    connect: Connect, tmp_path: Path, place: str
) -> None:
    async with recording(place, tmp_path) as (recorder, uri):
        client = await connect(uri, proxy_protocol=True)
        for _ in range(3):
            assert (await client.fetch(PATIENCE)).requests == 31
        assert recorder.nginx.connections == 1, "the connection is kept"
        await recorder.nginx.close()
        assert (await client.fetch(PATIENCE)).requests == 31
    assert recorder.headers == recorder.expected
    assert len(recorder.headers) == 2
    heads = recorder.nginx.requests
    assert [head.partition("\r\n")[0] for head in heads] == ["GET /s HTTP/1.1"] * 4


async def test_header_in_front_of_tls(
    connect: Connect, certificate: Path, tmp_path: Path
) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=f"{certificate}.crt")
    async with recording("127.0.0.1", tmp_path, server) as (recorder, uri):
        client = await connect(uri, trusting, proxy_protocol=True)
        assert (await client.fetch(PATIENCE)).requests == 31
        named = read_headers(["Host: status.example"], [])
        other = await connect(uri, trusting, proxy_protocol=True, headers=named)
        with pytest.raises(ScrapeError, match=r"not valid for 'status\.example'"):
            await other.fetch(PATIENCE)
    assert recorder.headers == recorder.expected


async def test_faults_are_named_as_without_it(
    connect: Connect, certificate: Path, tmp_path: Path
) -> None:
    async def error(uri: str, *tls: ssl.SSLContext) -> str:
        client = await connect(uri, *tls, proxy_protocol=True)
        with pytest.raises(ScrapeError) as caught:
            await client.fetch(PATIENCE)
        return str(caught.value)

    async with fake_nginx(always(b"")) as (_, refused):
        pass
    where = refused.split("/")[2]
    assert await error(refused) == f"connect to {where}: Connection refused"
    assert await error(f"unix:{tmp_path}/none:/s") == (
        f"connect to unix socket {tmp_path}/none: No such file or directory"
    )
    assert (await error("http://nginx.invalid/")).startswith("look up host nginx.inv")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    async with recording("127.0.0.1", tmp_path, server) as (_, uri):
        text = await error(uri, ssl.create_default_context())
    assert "certificate verify failed: self-signed certificate" in text


@pytest.mark.oracle
@pytest.mark.parametrize("place", ["127.0.0.1", "::1", "unix"])
async def test_the_bytes_are_upstreams(
    start_exporter: Start, tmp_path: Path, place: str
) -> None:
    """The header that our function makes of both ends is the one that Debian's sent."""
    sid = program("NGINX_EXPORTER_SID", "prometheus-nginx-exporter-1", "")
    async with recording(place, tmp_path) as (recorder, uri):
        exporter = await asyncio.to_thread(
            start_exporter,
            "--web.listen-address=127.0.0.1:0",
            "--nginx.proxy-protocol",
            f"--nginx.scrape-uri={uri}",
            command=(sid,),
        )
        assert "nginx_up 1\n" in (await exporter.get())[1]
        await asyncio.to_thread(exporter.stop)
    assert recorder.headers == recorder.expected
    assert len(recorder.headers) == 1


@pytest.mark.oracle
async def test_real_nginx(real_nginx: RealNginx, connect: Connect) -> None:
    """``$proxy_protocol_addr`` and ``_port`` are this side's end of the connection."""
    for place in (real_nginx.proxied_url, f"unix:{real_nginx.proxied_socket}:"):
        client = await connect(f"{place}/stub_status", proxy_protocol=True)
        assert (await client.fetch(PATIENCE)).accepted >= 1
    who = await connect(f"{real_nginx.proxied_url}/who", proxy_protocol=True)
    address, port = (await who.get()).body.decode().split()
    assert address == "127.0.0.1"
    assert 1024 <= int(port) <= 65535
    without = await connect(f"{real_nginx.proxied_url}/stub_status")
    with pytest.raises(ScrapeError, match="connection closed without an answer"):
        await without.fetch(PATIENCE)
