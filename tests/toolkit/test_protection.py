"""A server with ``--web.config.file``: real handshakes, files that change."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import ssl
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import bcrypt
import pytest
from aiohttp import ClientSession

from exporters.toolkit import config_file, tls_listen, web
from exporters.toolkit.errors import StartError
from exporters.toolkit.metric import GaugeMetricFamily, Metric

from .certificates import SAN, Certificates
from .conftest import Running, running


HASH = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
TLS = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n"
MUTUAL = f"{TLS}  client_ca_file: ca.pem\n"


@pytest.fixture
def made(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


def app() -> web.Application:
    async def gather(_: web.Scrape) -> Iterable[Metric]:
        return [GaugeMetricFamily("up", "Up.", 1)]

    return web.exporter_app(name="demo", description="D", gather=gather)


@asynccontextmanager
async def serving(directory: Path, text: str) -> AsyncIterator[Running]:
    (directory / "web.yml").write_text(text)
    path = str(directory / "web.yml")
    async with running(app(), config_file=path) as server:
        yield server


class Answer:
    def __init__(self, status: int, text: str, headers: dict[str, str]) -> None:
        self.status = status
        self.text = text
        self.headers = headers


async def ask(
    server: Running,
    context: ssl.SSLContext | None = None,
    *,
    path: str = "/metrics",
    auth: str = "",
) -> Answer:
    """Ask over a new connection."""
    url = f"{'https' if context else 'http'}://localhost:{server.port}{path}"
    encoded = base64.b64encode(auth.encode()).decode()
    headers = {"Authorization": f"Basic {encoded}"} if auth else {}
    async with (
        ClientSession() as session,
        session.get(url, ssl=context or True, headers=headers) as response,
    ):
        text = await response.text()
        return Answer(response.status, text, dict(response.headers))


async def refused(server: Running, context: ssl.SSLContext) -> bool:
    try:
        await ask(server, context)
    except (aiohttp.ClientError, ssl.SSLError, OSError):
        return True
    return False


@pytest.mark.parametrize("text", ["", "# nothing\n"])
async def test_an_empty_file_is_plain_http(tmp_path: Path, text: str) -> None:
    async with serving(tmp_path, text) as server:
        assert "up 1\n" in (await ask(server)).text


async def test_tls(made: Certificates) -> None:
    async with serving(made.directory, TLS) as server:
        answer = await ask(server, made.trusting())
        assert (answer.status, "up 1\n" in answer.text) == (200, True)
        assert await refused(server, ssl.create_default_context())


async def test_a_connection_is_kept(made: Certificates) -> None:
    async with (
        serving(made.directory, TLS) as server,
        ClientSession() as session,
    ):
        context = made.trusting()
        for _ in range(3):
            url = f"https://localhost:{server.port}/metrics"
            async with session.get(url, ssl=context) as response:
                assert response.status == 200
                assert await response.read()


@pytest.mark.parametrize(
    "start", [b"GET / HTTP/1.1\r\n", b"POST /x", b"OPTIONS * HTTP/1.1\r\n"]
)
async def test_http_to_the_tls_port(made: Certificates, start: bytes) -> None:
    async with serving(made.directory, TLS) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(start)
        assert await reader.read() == (
            b"HTTP/1.0 400 Bad Request\r\n\r\n"
            b"Client sent an HTTP request to an HTTPS server.\n"
        )
        writer.close()
        assert (await ask(server, made.trusting())).status == 200


POLICIES = [
    ("VerifyClientCertIfGiven", "", {"none", "client", "other"}),
    ("RequireAndVerifyClientCert", "", {"client", "other"}),
    ("RequireAndVerifyClientCert", f"[x, {SAN}]", {"client"}),
    ("RequireAndVerifyClientCert", '["::1"]', {"client"}),
    ("RequireAndVerifyClientCert", "[bob@example.org]", {"client"}),
    ("RequireAndVerifyClientCert", "[other.example.org]", {"other"}),
    ("RequireAndVerifyClientCert", "[]", set()),
    # Upstream falls over here and so refuses, too.
    ("VerifyClientCertIfGiven", f"[{SAN}]", {"client"}),
]


@pytest.mark.parametrize(("policy", "sans", "welcome"), POLICIES)
@pytest.mark.parametrize("version", ["TLS12", "TLS13"])
async def test_client_certificates(
    made: Certificates, policy: str, sans: str, welcome: set[str], version: str
) -> None:
    text = f"{MUTUAL}  client_auth_type: {policy}\n  max_version: {version}\n"
    if sans:
        text += f"  client_allowed_sans: {sans}\n"
    clients = {
        "none": None,
        "client": made.client,
        "other": made.other,
        "stranger": made.stranger,
    }
    async with serving(made.directory, text) as server:
        found = {
            name
            for name, client in clients.items()
            if not await refused(server, made.trusting(client))
        }
    assert found == welcome


async def test_a_new_certificate_is_shown_without_a_restart(made: Certificates) -> None:
    async with serving(made.directory, TLS) as server:
        assert (await ask(server, made.trusting())).status == 200
        (made.directory / "server.pem").write_text("broken\n")
        assert await refused(server, made.trusting())
        later = Certificates(made.directory)  # another authority, all files anew
        assert (await ask(server, later.trusting())).status == 200
        assert await refused(server, made.trusting())


async def test_a_broken_file_fails_handshakes_and_heals(
    made: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    path = made.directory / "web.yml"
    old = made.trusting()
    async with serving(made.directory, TLS) as server, ClientSession() as session:
        url = f"https://localhost:{server.port}/metrics"
        async with session.get(url, ssl=old) as response:
            assert response.status == 200
        path.write_text("tls_server_config: {bogus: 1}\n")
        assert await refused(server, made.trusting())
        async with session.get(url, ssl=old) as response:
            # The connection of before is there still.
            assert response.status == 500
            assert await response.text() == "Internal Server Error\n"
        path.write_text("rate_limit: {}\n")
        assert await refused(server, made.trusting())  # TLS does not end by itself
        path.write_text(TLS)
        assert (await ask(server, made.trusting())).status == 200
    told = [getattr(record, "fields", {}).get("err", "") for record in caplog.records]
    assert any("field bogus not found" in text for text in told)
    assert [r.getMessage() for r in caplog.records if r.levelno > logging.INFO] == [
        "TLS handshake error",
        "Unable to parse configuration",
    ]


async def test_users(tmp_path: Path) -> None:
    text = f"basic_auth_users:\n  bob: {HASH}\nhttp_server_config:\n"
    text += "  headers: {X-Frame-Options: deny}\n"
    async with serving(tmp_path, text) as server:
        for path in ("/metrics", "/", "/nope", "/-/healthy"):
            answer = await ask(server, path=path)
            assert (answer.status, answer.text) == (401, "Unauthorized\n")
            assert answer.headers["WWW-Authenticate"] == "Basic"
            assert answer.headers["X-Frame-Options"] == "deny"
        wrong = "bob:Secret"
        assert (await ask(server, auth=wrong)).status == 401
        right = await ask(server, auth="bob:secret")
        assert (right.status, right.headers["X-Frame-Options"]) == (200, "deny")
        missing = await ask(server, auth="bob:secret", path="/nope")
        assert (missing.status, missing.headers["X-Frame-Options"]) == (404, "deny")


async def test_users_change_without_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "web.yml"
    async with serving(tmp_path, f"basic_auth_users:\n  bob: {HASH}\n") as server:
        bob = "bob:secret"
        assert (await ask(server, auth=bob)).status == 200
        path.write_text(f"basic_auth_users:\n  eve: {HASH}\n")
        assert (await ask(server, auth=bob)).status == 401
        path.write_text("basic_auth_users: {bob: not a hash}\n")
        assert (await ask(server, auth=bob)).status == 401
        path.write_text("basic_auth_users: [\n")
        broken = await ask(server, auth=bob)
        assert (broken.status, broken.text) == (500, "Internal Server Error\n")
        path.unlink()
        assert (await ask(server, auth=bob)).status == 500
        path.write_text("")
        assert (await ask(server)).status == 200


async def test_a_hash_that_breaks_locks_out_its_user_and_nobody_else(
    made: Certificates,
) -> None:
    path = made.directory / "web.yml"
    users = f"basic_auth_users:\n  bob: {HASH}\n  eve: {HASH}\n"
    async with serving(made.directory, TLS + users) as server:
        path.write_text(TLS + users.replace(f"eve: {HASH}", "eve: broken"))
        context = made.trusting()
        assert (await ask(server, context, auth="bob:secret")).status == 200
        assert (await ask(server, context, auth="eve:secret")).status == 401


async def test_rate_limit(tmp_path: Path) -> None:
    text = "rate_limit: {burst: 2, interval: 1h}\n"
    text += f"basic_auth_users: {{bob: {HASH}}}\n"
    text += "http_server_config: {headers: {X-Frame-Options: deny}}\n"
    async with serving(tmp_path, text) as server:
        answers = [await ask(server) for _ in range(3)]
    assert [answer.status for answer in answers] == [401, 401, 429]
    assert answers[2].text == "Too Many Requests\n"
    assert "X-Frame-Options" not in answers[2].headers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bogus: 1\n", "web.yml:1:1: field bogus not found in Config"),
        (TLS.replace("server.key", "nope"), "failed to read key_file ({}/nope): open"),
        (TLS.replace("server.key", "other.key"), "failed to load X509KeyPair: tls: "),
        ("basic_auth_users: {a: b}\n", "web.yml:1:23: crypto/bcrypt: hashedSecret"),
    ],
)
async def test_a_wrong_file_keeps_it_from_starting(
    made: Certificates, text: str, expected: str
) -> None:
    with pytest.raises(BaseExceptionGroup) as caught:
        async with serving(made.directory, text):
            pass
    (error,) = caught.value.exceptions
    assert isinstance(error, StartError)
    assert expected.format(made.directory) in str(error)
    for thread in threading.enumerate():
        if thread.name.startswith("web-"):
            thread.join(5)  # it was told to end
            assert not thread.is_alive()


async def test_a_missing_file_keeps_it_from_starting(tmp_path: Path) -> None:
    path = str(tmp_path / "missing.yml")
    with pytest.raises(StartError, match=f"open {path}: no such file or directory"):
        await web.serve(app(), ["127.0.0.1:0"], asyncio.Event(), config_file=path)


async def test_limits_are_warned_of(
    made: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    text = f"{TLS}  client_auth_type: RequestClientCert\n"
    async with serving(made.directory, text) as server:
        assert (await ask(server, made.trusting())).status == 200
    warnings = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "client_auth_type RequestClientCert" in warnings[0]


async def test_silent_clients_make_room(
    made: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_listen, "_MOST_HANDSHAKES", 3)
    async with serving(made.directory, TLS) as server:
        silent = [
            await asyncio.open_connection("127.0.0.1", server.port) for _ in range(6)
        ]
        assert (await ask(server, made.trusting())).status == 200
        assert await silent[0][0].read() == b""  # closed, as the oldest
        for _, writer in silent:
            writer.close()


async def test_a_silent_client_is_left_alone_and_then_let_go(
    made: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_listen, "_HANDSHAKE_SECONDS", 0.2)
    async with serving(made.directory, TLS) as server:
        for start in (b"", b"\x16\x03\x01", b"garbage"):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(start)
            await reader.read()
            writer.close()
        assert (await ask(server, made.trusting())).status == 200


async def test_a_stop_does_not_wait_for_handshakes(made: Certificates) -> None:
    loop = asyncio.get_running_loop()
    async with serving(made.directory, TLS) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert (await ask(server, made.trusting())).status == 200
        started = loop.time()
        server.stop.set()
        await server.stopped.wait()
        writer.close()
    assert loop.time() - started < 2
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", server.port)


async def test_a_file_that_hangs_costs_requests_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config_file, "_READ_SECONDS", 0.2)
    path = tmp_path / "web.yml"
    async with serving(tmp_path, "") as server:
        path.unlink()
        os.mkfifo(path)  # which nobody writes to
        answers = await asyncio.gather(*[ask(server) for _ in range(4)])
        assert [answer.status for answer in answers] == [500] * 4
        # Both threads wait for a writer; let them go.
        os.close(os.open(path, os.O_RDWR))
        await asyncio.to_thread(_write_until_read, path)


def _write_until_read(path: Path) -> None:
    """Open *path* for as long as somebody opens it for reading."""
    for _ in range(100):
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            return
