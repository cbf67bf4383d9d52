"""Side by side with Debian sid's nginx-prometheus-exporter 1.5.1 at the same API.

Every ``nginxplus_`` line is compared, byte for byte. The names, types and HELP texts
of 1.5.1 are those of upstream's main, too.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Any

import pytest

from exporters.nginx.plus.collector import PlusCollector
from exporters.nginx.targets import Target
from exporters.toolkit.exposition import encode
from tests.nginx.conftest import Start
from tests.nginx.plus.server import (
    PATH_NOT_FOUND,
    MemorySession,
    RecordedApi,
    Reply,
    documents,
    replaced,
    reply,
    serve,
)


pytestmark = pytest.mark.oracle

MISSING = reply(PATH_NOT_FOUND, 404)
BROKEN = Reply(500, b"<html>Internal Server Error</html>")
HTTP_ENDPOINTS = (
    *("connections", "http/requests", "http/server_zones", "http/location_zones"),
    *("http/upstreams", "http/limit_reqs", "http/limit_conns", "http/caches"),
    *("ssl", "resolvers", "workers", "nginx", ""),
)
STREAM_ENDPOINTS = (
    *("stream/server_zones", "stream/upstreams", "stream/limit_conns"),
    "stream/zone_sync",
)
MAPS = tuple(
    path
    for path in (*HTTP_ENDPOINTS, *STREAM_ENDPOINTS)
    if path not in {"", "workers", "nginx"}
)
PEER = ("shop_api", "peers", 0)


def changed(endpoint: str, *path: str | int, to: Any) -> dict[str, Reply]:
    """Return the answer that says *to* at *path* of what *endpoint* recorded."""
    return {endpoint: reply(replaced(documents()[endpoint], path, to))}


ROOT = ["nginx", "connections", "http", "resolvers", "ssl", "workers", "license"]
ODD_NAMES = (
    'quo"te',
    "back\\slash",
    "new\nline",
    "größe",
    "\ud83d\ude00",
    "\ud800",
    "",
)

VARIATIONS: dict[str, Mapping[str, Reply]] = {
    "as recorded": {},
    "no stream": {"": reply(ROOT)},
    "only stream zones": {"stream": reply(["server_zones"])},
    "empty stream list": {"stream": reply([])},
    "null stream list": {"stream": reply(None)},
    "nothing configured": {path: reply({}) for path in MAPS} | {"workers": reply([])},
    "null everywhere": {path: reply(None) for path in (*MAPS, "workers")},
    "release 32": {"nginx": reply({"build": "nginx-plus-r32-p2"})},
    "no release": {"nginx": reply({"build": "nginx"})},
    "no build": {"nginx": reply({})},
    "license missing": {"license": MISSING},
    "license broken": {"license": BROKEN},
    "license null": {"license": reply(None)},
    "license without a report": changed("license", "reporting", to=None),
    "license of a wrong type": changed("license", "active_till", to="soon"),
    "reporting unhealthy": changed("license", "reporting", "healthy", to=False),
    "reporting empty": changed("license", "reporting", to={}),
    "evaluation": changed("license", "eval", to=True),
    "unknown state": changed("http/upstreams", *PEER, "state", to="resting"),
    "null state": changed("http/upstreams", *PEER, "state", to=None),
    "never checked": changed(
        "http/upstreams",
        *(*PEER, "health_checks"),
        to={"checks": 0, "fails": 0, "unhealthy": 0, "last_passed": False},
    ),
    "no health checks": changed("http/upstreams", *PEER, "health_checks", to=None),
    "no peers": changed("http/upstreams", "shop_api", "peers", to=None),
    "null peer": changed("http/upstreams", *PEER, to=None),
    "null zone": changed("http/server_zones", "shop", to=None),
    "null codes": changed("http/server_zones", "shop", "responses", "codes", to=None),
    "null sync": {"stream/zone_sync": reply({"zones": None, "status": None})},
    "other codes": changed(
        "http/server_zones", "shop", "responses", "codes", to={"206": 5, "418": 3}
    ),
    "odd names": {
        "http/caches": reply({name: {"size": 5} for name in ODD_NAMES}),
    },
    "odd bytes": {"http/limit_reqs": Reply(200, b'{"a\xff\xfeb": {"passed": 1}}')},
    "odd servers": changed("http/upstreams", *PEER, "server", to='a"b\\c\n'),
    "more than asked for": changed("ssl", "quic", to={"deep": [1, 2.5e300, None]}),
    "greatest uint64": changed("ssl", "handshakes", to=2**64 - 1),
    "not exact in a float": changed("ssl", "handshakes", to=2**53 + 1),
    "below zero, int64": changed("connections", "active", to=-(2**63)),
    "below zero, int": changed("http/upstreams", "shop_api", "zombies", to=-1),
    "worker without a number": {"workers": reply([{"pid": 9, "id": 7}, {"id": 3}])},
    "workers null": {"workers": reply(None)},
}
DOWN: dict[str, Mapping[str, Reply]] = {
    **{f"{path} missing": {path: MISSING} for path in HTTP_ENDPOINTS},
    **{f"{path} broken": {path: BROKEN} for path in HTTP_ENDPOINTS},
    **{f"{path} broken": {path: BROKEN} for path in STREAM_ENDPOINTS},
    "stream missing": {"stream": MISSING},
    "empty body": {"ssl": Reply(200, b"")},
    "cut body": {"ssl": Reply(200, b'{"handshakes": 1')},
    "two bodies": {"ssl": Reply(200, b"{} {}")},
    "NaN": {"ssl": Reply(200, b'{"handshakes": NaN}')},
    "string for a number": changed("ssl", "handshakes", to="5"),
    "fraction": changed("ssl", "handshakes", to=1.5),
    "exponent": {"ssl": Reply(200, b'{"handshakes": 1e3}')},
    "point": {"ssl": Reply(200, b'{"handshakes": 1.0}')},
    "true for a number": changed("ssl", "handshakes", to=True),
    "below zero": changed("ssl", "handshakes", to=-1),
    "more than uint64": changed("ssl", "handshakes", to=2**64),
    "more than int64": changed("connections", "active", to=2**63),
    "5,000 digits": {"ssl": Reply(200, b'{"handshakes": %s}' % (b"9" * 5000))},
    "list for a map": {"http/upstreams": reply([])},
    "map for a list": {"workers": reply({})},
    "string for a record": changed("http/server_zones", "shop", to="x"),
    "number for a state": changed("http/upstreams", *PEER, "state", to=1),
    "number for a server": changed("http/upstreams", *PEER, "server", to=1),
    "number for a flag": changed("http/caches", "pages", "cold", to=1),
    "string for a pid": changed("workers", 0, "pid", to="1"),
    "string for an object": changed("http/server_zones", "shop", "ssl", to="x"),
    "number for an endpoint": {"": reply([1])},
    "map for the list": {"": reply({})},
}


@pytest.fixture
def sid() -> str:
    found = os.environ.get("NGINX_EXPORTER_SID")
    if not found:
        pytest.skip("no nginx-prometheus-exporter 1.5: not in $NGINX_EXPORTER_SID")
    return found


async def _theirs(start: Start, sid: str, uris: list[str], *more: str) -> list[str]:
    exporter = await asyncio.to_thread(
        start,
        "--nginx.plus",
        "--web.listen-address=127.0.0.1:0",
        *(f"--nginx.scrape-uri={uri}" for uri in uris),
        *more,
        command=(sid,),
    )
    status, text = await exporter.get()
    assert status == 200, text
    return _plus_lines(text)


def _plus_lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if "nginxplus_" in line]


async def _ours(api: RecordedApi) -> list[str]:
    families = await PlusCollector([MemorySession(api)], {}, 5).collect(None)
    return _plus_lines(encode(families, pytest.fail).decode())


async def _both(
    start: Start, sid: str, answers: Mapping[str, Reply]
) -> tuple[list[str], list[str]]:
    async with serve(RecordedApi(answers=dict(answers))) as uri:
        theirs = await _theirs(start, sid, [uri])
    return await _ours(RecordedApi(answers=dict(answers))), theirs


@pytest.mark.parametrize("name", VARIATIONS)
async def test_same_lines(start_exporter: Start, sid: str, name: str) -> None:
    ours, theirs = await _both(start_exporter, sid, VARIATIONS[name])
    assert ours == theirs
    assert "nginxplus_up 1" in ours


@pytest.mark.parametrize("name", DOWN)
async def test_both_down(start_exporter: Start, sid: str, name: str) -> None:
    ours, theirs = await _both(start_exporter, sid, DOWN[name])
    assert ours == theirs
    assert ours[2:] == ["nginxplus_up 0"]


async def test_several_targets(start_exporter: Start, sid: str) -> None:
    first = RecordedApi()
    second = RecordedApi(answers={"license": MISSING, "stream": reply([])})
    third = RecordedApi(answers={"ssl": BROKEN})
    labels = {"env": "prod", "code": "from a flag", "addr": "from a flag"}
    async with serve(first) as a, serve(second) as b, serve(third) as c:
        theirs = await _theirs(
            start_exporter,
            sid,
            [a, b, c],
            *(f"--prometheus.const-label={name}={labels[name]}" for name in labels),
        )
    sessions = [
        MemorySession(api, Target(uri, uri))
        for api, uri in ((first, a), (second, b), (third, c))
    ]
    families = await PlusCollector(sessions, labels, 5).collect(None)
    assert _plus_lines(encode(families, pytest.fail).decode()) == theirs


async def _answer(start: Start, sid: str, api: RecordedApi) -> tuple[int, str]:
    async with serve(api) as uri:
        exporter = await asyncio.to_thread(
            start,
            "--nginx.plus",
            "--web.listen-address=127.0.0.1:0",
            f"--nginx.scrape-uri={uri}",
            command=(sid,),
        )
        return await exporter.get()


async def test_better_an_older_nginx_is_down_there(
    start_exporter: Start, sid: str
) -> None:
    older = RecordedApi(versions=tuple(range(1, 9)))
    _, text = await _answer(start_exporter, sid, older)
    assert _plus_lines(text)[2:] == ["nginxplus_up 0"]
    assert "nginxplus_up 1" in await _ours(older)


async def test_better_one_server_twice_is_500_there(
    start_exporter: Start, sid: str
) -> None:
    peers = documents()["http/upstreams"]["wordpress"]["peers"]
    twice = changed(
        "http/upstreams", "wordpress", "peers", to=[peers[0], *peers, peers[1]]
    )
    status, text = await _answer(start_exporter, sid, RecordedApi(answers={**twice}))
    assert (status, "was collected before" in text) == (500, True)
    assert await _ours(RecordedApi(answers={**twice})) == await _ours(RecordedApi())


async def test_better_zones_are_in_sync_without_limits(
    start_exporter: Start, sid: str
) -> None:
    """Upstream asks zone_sync only where limit_conns is listed."""
    listed = {"stream": reply(["server_zones", "zone_sync"])}
    ours, theirs = await _both(start_exporter, sid, listed)
    more = [line for line in ours if "stream_zone_sync" not in line]
    assert more == theirs
    assert len(ours) - len(theirs) == 7 * 2 + 2 * 2 + 5
