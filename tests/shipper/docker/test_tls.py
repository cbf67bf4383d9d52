"""A daemon over TCP: plain, with TLS, with certificates on both sides.

A proxy in this process listens there and hands everything on to the machine's daemon.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pytest
import yaml

from shipper.app import App
from tests.shipper.certificates import Authority, Pair
from tests.shipper.oracle.conftest import Recorder, ours, recorder

from .real import RealDocker, own_daemon


pytestmark = pytest.mark.docker

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter


@dataclass
class Certificates:
    """What both sides may present; the server's is of 127.0.0.1 and ``server``."""

    authority: Authority
    server: Pair
    client: Pair
    stranger: Authority

    def context(self, *, mutual: bool) -> ssl.SSLContext:
        return self.authority.server_context(self.server, wants_client=mutual)

    @property
    def trust(self) -> dict[str, str]:
        return {"ca_file": str(self.authority.pair.cert)}

    def presented(self, pair: Pair) -> dict[str, str]:
        return {"cert_file": str(pair.cert), "key_file": str(pair.key)}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    authority = Authority(folder)
    return Certificates(
        authority,
        authority.issue("server"),
        authority.issue("client"),
        Authority(folder, "stranger"),
    )


@pytest.fixture
def docker() -> Iterator[RealDocker]:
    with own_daemon() as found:
        yield found


async def _pump(reader: Reader, writer: Writer) -> None:
    """Hand on what is read; the end too, where the transport has one."""
    with suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


@asynccontextmanager
async def proxy(socket: str, context: ssl.SSLContext | None) -> AsyncIterator[int]:
    """Listen on a port of 127.0.0.1 for the daemon at *socket*; yields the port."""
    writers: set[Writer] = set()

    async def serve(reader: Reader, writer: Writer) -> None:
        there_reader, there = await asyncio.open_unix_connection(socket)
        writers.update({writer, there})
        pumps = [
            asyncio.ensure_future(_pump(reader, there)),
            asyncio.ensure_future(_pump(there_reader, writer)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for side in (writer, there):
            side.transport.abort()
            writers.discard(side)
        await asyncio.wait(pumps)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for writer in list(writers):
            writer.transport.abort()


@asynccontextmanager
async def shipping(
    docker: RealDocker, folder: Path, host: str, tls: dict[str, object]
) -> AsyncIterator[tuple[App, Recorder]]:
    """Run the whole program over *host*."""
    daemon: dict[str, object] = {
        "host": host,
        "refresh_interval": "1s",
        "filters": [{"name": "label", "values": [f"shipper-test={docker.mark}"]}],
    }
    if tls:
        daemon["tls_config"] = tls
    rule = {"target_label": "job", "replacement": "docker"}
    job = {
        "job_name": "far",
        "docker_sd_configs": [daemon],
        "relabel_configs": [rule],
    }
    async with recorder() as loki:
        config = {
            "server": {"disable": True},
            "positions": {"filename": str(folder / "positions.yaml")},
            "clients": [{"url": loki.url, "batchwait": "50ms"}],
            "scrape_configs": [job],
        }
        async with ours(yaml.safe_dump(config)) as app:
            yield app, loki


async def _lines_arrive(app: App, loki: Recorder) -> None:
    await loki.wait(3, seconds=20, rest=0)
    found = sorted((dict(e.labels)["job"], e.line) for e in loki.entries)
    assert found == [("docker", b"early"), ("docker", b"late"), ("docker", b"stderr")]
    assert app._not_ready() is None


SCRIPT = "echo early; echo stderr >&2; sleep 1; echo late; sleep 600"


@pytest.mark.parametrize("scheme", ["tcp", "http"])
async def test_plain(docker: RealDocker, tmp_path: Path, scheme: str) -> None:
    await docker.run(script=SCRIPT)
    async with proxy(docker.socket, None) as port:
        host = f"{scheme}://127.0.0.1:{port}"
        async with shipping(docker, tmp_path, host, {}) as (app, loki):
            await _lines_arrive(app, loki)


@pytest.mark.parametrize("scheme", ["tcp", "https"])
@pytest.mark.parametrize("mutual", [False, True], ids=["tls", "mtls"])
async def test_tls(
    docker: RealDocker,
    tmp_path: Path,
    certificates: Certificates,
    scheme: str,
    mutual: bool,
) -> None:
    await docker.run(script=SCRIPT)
    tls: dict[str, object] = {**certificates.trust}
    if mutual:
        tls |= certificates.presented(certificates.client)
    async with proxy(docker.socket, certificates.context(mutual=mutual)) as port:
        host = f"{scheme}://127.0.0.1:{port}"
        async with shipping(docker, tmp_path, host, tls) as (app, loki):
            await _lines_arrive(app, loki)


async def test_a_server_of_another_name(
    docker: RealDocker, tmp_path: Path, certificates: Certificates
) -> None:
    """The certificate is not of ``localhost``; ``server_name`` says what it is of."""
    await docker.run(script=SCRIPT)
    tls: dict[str, object] = {**certificates.trust, "server_name": "server"}
    async with proxy(docker.socket, certificates.context(mutual=False)) as port:
        host = f"https://localhost:{port}"
        async with shipping(docker, tmp_path, host, tls) as (app, loki):
            await _lines_arrive(app, loki)


async def test_nothing_is_checked(
    docker: RealDocker, tmp_path: Path, certificates: Certificates
) -> None:
    await docker.run(script=SCRIPT)
    tls: dict[str, object] = {"insecure_skip_verify": True}
    async with proxy(docker.socket, certificates.context(mutual=False)) as port:
        host = f"https://localhost:{port}"
        async with shipping(docker, tmp_path, host, tls) as (app, loki):
            await _lines_arrive(app, loki)


async def _reason(app: App) -> str:
    """Return why *app* is not ready, once Docker was asked."""
    reason = "starting"
    async with asyncio.timeout(10):
        while reason == "starting" or "not asked yet" in reason:
            await asyncio.sleep(0.02)
            reason = app._not_ready() or "ready"
    return reason


class Wrong(NamedTuple):
    """What does not fit, and what of it must be said."""

    name: str
    scheme: str
    says: str = ""
    mutual: bool = False

    def tls(self, of: Certificates) -> dict[str, object]:
        kinds: dict[str, dict[str, object]] = {
            "authority": {"ca_file": str(of.stranger.pair.cert)},
            "name": {**of.trust, "server_name": "elsewhere"},
            "stranger": {**of.trust, **of.presented(of.stranger.pair)},
            "nothing": {},
        }
        return kinds.get(self.name, {**of.trust})


# Without a certificate of the client asyncio's server only hangs up.
WRONG = [
    Wrong("authority", "https", "certificate verify failed"),
    Wrong("authority", "tcp", "certificate verify failed"),
    Wrong("name", "https", "certificate is not valid for 'elsewhere'"),
    Wrong("no certificate", "https", mutual=True),
    Wrong("stranger", "https", mutual=True),
    Wrong("plain there", "https", "WRONG_VERSION_NUMBER"),
    Wrong("nothing", "http"),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda it: f"{it.scheme} {it.name}")
async def test_not_ready_says_why(
    docker: RealDocker, tmp_path: Path, certificates: Certificates, wrong: Wrong
) -> None:
    plain = wrong.name == "plain there"
    context = None if plain else certificates.context(mutual=wrong.mutual)
    async with proxy(docker.socket, context) as port:
        host = f"{wrong.scheme}://127.0.0.1:{port}"
        tls = wrong.tls(certificates)
        async with shipping(docker, tmp_path, host, tls) as (app, loki):
            reason = await _reason(app)
            assert reason.startswith("Docker cannot be reached: ")
            assert f"127.0.0.1:{port}" in reason
            assert wrong.says in reason
            assert "\n" not in reason
            assert not loki.entries
