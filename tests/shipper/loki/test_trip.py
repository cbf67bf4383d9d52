"""How Loki is reached: proxies, TLS with certificates of both sides, redirects."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiohttp import web

from shipper.config.tls import TlsConfig
from shipper.loki.client import PushClient
from shipper.loki.headers import Credentials
from shipper.loki.outcome import TRANSPORT, Answer, Verdict, judge
from shipper.loki.proxy import Proxy, ProxyRules
from shipper.loki.settings import ClientSettings
from shipper.loki.trip import Trip
from shipper.tls import tls_source
from tests.shipper.certificates import Authority, Pair

from .conftest import BODY, PUSH_PATH, Server, push, serving


@pytest.fixture(scope="module")
def server_pair(authority: Authority) -> Pair:
    return authority.issue("loki")


def over_tls(settings: ClientSettings, config: TlsConfig) -> ClientSettings:
    trip = Trip(tls_source(config), config.server_name or None)
    return replace(settings, trip=trip)


def subjects(loki: Server) -> list[str]:
    """Return whose certificates *loki* will be shown, as they come."""
    seen: list[str] = []

    async def remember(request: web.Request) -> web.StreamResponse:
        assert request.transport
        seen.append(str(request.transport.get_extra_info("peercert")["subject"]))
        return web.Response(status=204)

    loki.handler = remember
    return seen


# -- TLS


async def test_a_server_nobody_vouches_for(
    authority: Authority, server_pair: Pair
) -> None:
    tls = authority.server_context(server_pair, wants_client=False)
    async with serving(tls) as loki:
        found = await push(loki.settings)
        skipped = await push(
            over_tls(loki.settings, TlsConfig(insecure_skip_verify=True))
        )
    assert found == Answer(
        TRANSPORT,
        "cannot connect: certificate refused: unable to get local issuer certificate",
        connected=False,
    )
    assert skipped == Answer(204)


@pytest.mark.parametrize(
    ("name", "passes"), [("", True), ("loki", True), ("other", False)]
)
async def test_the_name_is_checked(
    authority: Authority, server_pair: Pair, name: str, passes: bool
) -> None:
    config = TlsConfig(ca_file=str(authority.pair.cert), server_name=name)
    tls = authority.server_context(server_pair, wants_client=False)
    async with serving(tls) as loki:
        found = await push(over_tls(loki.settings, config))
    assert (found == Answer(204)) == passes, found


async def test_both_sides_show_a_certificate(
    authority: Authority, server_pair: Pair
) -> None:
    client = authority.issue("shipper")
    alone = TlsConfig(ca_file=str(authority.pair.cert))
    both = replace(alone, cert_file=str(client.cert), key_file=str(client.key))
    tls = authority.server_context(server_pair, wants_client=True)
    async with serving(tls) as loki:
        seen = subjects(loki)
        assert await push(over_tls(loki.settings, both)) == Answer(204)
        refused = await push(over_tls(loki.settings, alone))
    assert refused.status == TRANSPORT
    assert len(seen) == 1
    assert "shipper" in seen[0]


async def test_new_certificates_are_used_without_a_restart(
    authority: Authority, server_pair: Pair, tmp_path: Path
) -> None:
    """promtail panics here when there is no ca: it dereferences none."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    config = TlsConfig(
        insecure_skip_verify=True, cert_file=str(cert), key_file=str(key)
    )
    tls = authority.server_context(server_pair, wants_client=True)
    async with serving(tls) as loki:
        seen = subjects(loki)
        first, second = authority.issue("first"), authority.issue("second")
        cert.write_bytes(first.cert.read_bytes())
        key.write_bytes(first.key.read_bytes())
        async with PushClient(over_tls(loki.settings, config)) as client:
            assert await client.push("", BODY) == Answer(204)
            cert.write_bytes(second.cert.read_bytes())
            torn = await client.push("", BODY)  # the key is still the old one
            key.write_bytes(second.key.read_bytes())
            assert await client.push("", BODY) == Answer(204)
    assert torn.status == TRANSPORT
    assert "key values mismatch" in torn.body.lower().replace("_", " ")
    assert ["first" in seen[0], "second" in seen[1]] == [True, True]


async def test_an_old_server_is_reached_only_when_it_is_asked_for(
    authority: Authority, server_pair: Pair
) -> None:
    tls = authority.server_context(server_pair, wants_client=False)
    tls.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
        tls.maximum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
        tls.minimum_version = ssl.TLSVersion.TLSv1
    config = TlsConfig(ca_file=str(authority.pair.cert))
    async with serving(tls) as loki:
        modern = await push(over_tls(loki.settings, config))
        old = replace(config, min_version="TLS10")
        assert await push(over_tls(loki.settings, old)) == Answer(204)
    assert modern.status == TRANSPORT
    assert modern.body == "cannot connect: connection closed by the other side"


# -- proxies


@dataclass
class ForwardProxy:
    """Opens tunnels and passes plain requests on; keeps their heads."""

    port: int = 0
    scheme: str = "http"
    refuses: bool = False
    heads: list[bytes] = field(default_factory=list)

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with closing(writer), suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            if self.refuses:
                writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
                return
            method, target = head.split()[:2]
            plain = method != b"CONNECT"
            place = target.split(b"/")[2] if plain else target
            host, port = place.decode().split(":")
            there, back = await asyncio.open_connection(host, int(port))
            with closing(back):
                if plain:
                    back.write(head.replace(target, PUSH_PATH.encode(), 1))
                else:
                    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                await asyncio.gather(pump(reader, back), pump(there, writer))

    def asked(self, index: int = 0) -> dict[str, str]:
        lines = self.heads[index].decode().split("\r\n")[1:-2]
        return dict(line.split(": ", 1) for line in lines)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def forwarding(
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[ForwardProxy]:
    proxy = ForwardProxy(scheme="https" if tls else "http")
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, ssl=tls)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await server.wait_closed()


def through(
    settings: ClientSettings, proxy: ForwardProxy, tls: TlsConfig | None = None
) -> ClientSettings:
    where = Proxy(f"{proxy.scheme}://127.0.0.1:{proxy.port}", "me", "p@ß")
    rules = ProxyRules(where, where, None, (("X-Tunnel", "a"), ("X-Tunnel", "b")))
    return replace(settings, trip=Trip(tls_source(tls or TlsConfig()), None, rules))


LOGIN = "Basic bWU6cEDDnw=="


async def test_plain_text_goes_through_without_a_tunnel(loki: Server) -> None:
    async with forwarding() as proxy:
        assert await push(through(loki.settings, proxy)) == Answer(204)
    assert proxy.heads[0].startswith(f"POST {loki.url} HTTP/1.1".encode())
    asked = proxy.asked()
    assert asked["Proxy-Authorization"] == LOGIN
    assert "X-Tunnel" not in asked
    assert loki.requests[0][1] == BODY


async def test_tls_goes_through_a_tunnel(
    authority: Authority, server_pair: Pair
) -> None:
    config = TlsConfig(ca_file=str(authority.pair.cert))
    tls = authority.server_context(server_pair, wants_client=False)
    async with (
        forwarding() as proxy,
        serving(tls) as loki,
        PushClient(through(loki.settings, proxy, config)) as client,
    ):
        for _ in range(2):
            assert await client.push("", BODY) == Answer(204)
    assert len(proxy.heads) == 1, "a tunnel is used again"
    assert proxy.heads[0].startswith(f"CONNECT {loki.host} HTTP/1.1".encode())
    assert proxy.heads[0].count(b"X-Tunnel: ") == 2
    assert proxy.asked()["Proxy-Authorization"] == LOGIN
    assert "Proxy-Authorization" not in loki.requests[0][0]
    assert "X-Tunnel" not in loki.requests[0][0]


async def test_a_proxy_may_speak_tls_itself(
    authority: Authority, server_pair: Pair
) -> None:
    config = TlsConfig(ca_file=str(authority.pair.cert))
    tls = authority.server_context(server_pair, wants_client=False)
    async with forwarding(tls) as proxy, serving(tls) as loki, serving() as plain:
        for each in (loki, plain):
            settings = through(each.settings, proxy, config)
            assert await push(settings) == Answer(204)
            assert each.requests[0][1] == BODY
            stranger = await push(through(each.settings, proxy))
            assert stranger.body.startswith("proxy: cannot connect: certificate")
            assert not stranger.connected
    heads = [head.split()[0] for head in proxy.heads]
    assert heads == [b"CONNECT", b"POST"]


async def test_a_stranger_behind_a_tunnel(
    authority: Authority, server_pair: Pair
) -> None:
    tls = authority.server_context(server_pair, wants_client=False)
    async with forwarding() as proxy, serving(tls) as loki:
        found = await push(through(loki.settings, proxy))
    assert found == Answer(
        TRANSPORT,
        "cannot connect: certificate refused: unable to get local issuer certificate",
        connected=False,
    )
    assert not loki.requests


async def test_what_is_no_tls_behind_a_tunnel(loki: Server) -> None:
    https = replace(loki.settings, url=loki.url.replace("http:", "https:"))
    async with forwarding() as proxy:
        found = await push(through(https, proxy))
    assert found.body.startswith("cannot connect: ")
    assert not found.connected


async def test_a_large_push_over_tls_may_be_refused_early(
    authority: Authority, server_pair: Pair
) -> None:
    config = TlsConfig(ca_file=str(authority.pair.cert))
    tls = authority.server_context(server_pair, wants_client=False)
    async with serving(tls) as loki, PushClient(over_tls(loki.settings, config)) as one:

        async def refuse(request: web.Request) -> web.StreamResponse:
            return web.Response(status=413, text="too large")

        loki.reads = False
        loki.handler = refuse
        found = await one.push("", bytes(8 << 20))
        assert found == Answer(413, "too large")


async def test_a_proxy_that_refuses_the_tunnel(
    authority: Authority, server_pair: Pair
) -> None:
    tls = authority.server_context(server_pair, wants_client=False)
    async with forwarding() as proxy, serving(tls) as loki:
        proxy.refuses = True
        found = await push(through(loki.settings, proxy))
    reason = "the proxy refuses: HTTP 407 Proxy Authentication Required"
    assert found == Answer(TRANSPORT, reason, connected=False)


async def test_a_407_for_plain_text_holds_the_lines(loki: Server) -> None:
    async with forwarding() as proxy:
        proxy.refuses = True
        found = await push(through(loki.settings, proxy))
    assert found.status == 407
    assert judge(found, 1).verdict is Verdict.HOLD


async def test_a_proxy_that_is_away(loki: Server) -> None:
    async with forwarding() as proxy:
        settings = through(loki.settings, proxy)
    refused = "cannot connect: Connection refused"
    assert await push(settings) == Answer(
        TRANSPORT, f"proxy: {refused}", connected=False
    )
    async with PushClient(settings) as client:
        assert await client.probe() == refused, "the proxy is what is asked"


# -- redirects


def redirecting(loki: Server, status: int, location: str, times: int = 1) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if len(loki.requests) <= times:
            return web.Response(status=status, headers={"Location": location})
        return web.Response(status=204)

    loki.handler = answer


@pytest.mark.parametrize("status", [307, 308])
async def test_a_redirect_that_keeps_the_body(loki: Server, status: int) -> None:
    redirecting(loki, status, f"{PUSH_PATH}?x=1", times=10)
    token = Credentials(scheme="Bearer", token="t")
    assert await push(replace(loki.settings, credentials=token), "a") == Answer(204)
    assert len(loki.requests) == 11
    assert {body for _, body in loki.requests} == {BODY}
    assert {headers["Authorization"] for headers, _ in loki.requests} == {"Bearer t"}
    assert {headers["X-Scope-OrgID"] for headers, _ in loki.requests} == {"a"}


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_a_redirect_that_would_drop_the_body(loki: Server, status: int) -> None:
    """Go would GET the new place, and take a 204 there for stored."""
    redirecting(loki, status, "http://u:p@other.example:1/push?token=x#y")
    found = await push(loki.settings)
    assert found == Answer(
        status,
        "redirected to http://other.example:1/push, where a POST does not follow: "
        "is that the url?",
    )
    assert judge(found, 1).verdict is Verdict.HOLD


async def test_redirects_are_not_followed_when_told(loki: Server) -> None:
    redirecting(loki, 308, PUSH_PATH)
    found = await push(replace(loki.settings, follow_redirects=False))
    assert found.status == 308
    assert len(loki.requests) == 1


async def test_a_ring_of_redirects_ends(loki: Server) -> None:
    redirecting(loki, 307, PUSH_PATH, times=100)
    found = await push(loki.settings)
    assert found == Answer(307, "stopped after 10 redirects")
    assert judge(found, 1).verdict is Verdict.HOLD
    assert len(loki.requests) == 11


@pytest.mark.parametrize("location", ["", "ftp://a/", "http://[", "//:0"])
async def test_a_redirect_to_nowhere(loki: Server, location: str) -> None:
    redirecting(loki, 307, location)
    assert (await push(loki.settings)).status == 307


async def test_another_host_gets_no_login(loki: Server) -> None:
    async with serving() as other:
        redirecting(loki, 307, other.url.replace("127.0.0.1", "localhost"))
        token = Credentials(scheme="Bearer", token="t")
        assert await push(replace(loki.settings, credentials=token)) == Answer(204)
    ((headers, body),) = other.requests
    assert "Authorization" not in headers
    assert body == BODY


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
