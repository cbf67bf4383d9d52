from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from exporters.nginx.plus import metrics
from exporters.nginx.plus.collector import PlusCollector
from exporters.nginx.targets import Target
from exporters.toolkit.errors import StartError
from exporters.toolkit.exposition import encode
from exporters.toolkit.metric import Metric
from tests.nginx.conftest import Connect
from tests.nginx.plus.server import (
    MemorySession,
    RecordedApi,
    Reply,
    documents,
    replaced,
    reply,
    serve,
)


# What Debian's nginx-prometheus-exporter 1.5.1 prints for what is recorded.
GOLDEN = Path(__file__).with_name("golden.prom")
PATIENCE = 30.0


def _session(
    name: str = "http://n:8080/api", answers: Mapping[str, Reply | None] | None = None
) -> MemorySession:
    return MemorySession(RecordedApi(answers=dict(answers or {})), Target(name, name))


def _samples(families: list[Metric], name: str) -> list[tuple[dict[str, str], float]]:
    return [
        (sample.labels, sample.value)
        for family in families
        if family.name == name
        for sample in family.samples
    ]


def _collector(*sessions: MemorySession, **labels: str) -> PlusCollector:
    return PlusCollector(sessions, labels, PATIENCE)


async def test_golden() -> None:
    families = await _collector(_session()).collect(None)
    assert encode(families, pytest.fail).decode() == GOLDEN.read_text()
    assert len(families) == 133


async def test_golden_through_a_client(connect: Connect) -> None:
    api = RecordedApi()
    async with serve(api) as uri:
        for given in (uri, f"{uri}/", uri.replace("//", "//u:sekret@")):
            collector = PlusCollector([await connect(given)], {}, PATIENCE)
            for _ in range(2):
                families = await collector.collect(None)
                assert encode(families, pytest.fail).decode() == GOLDEN.read_text()
    assert all(path.startswith("/9/") for path in api.requests)


async def test_one_family_for_all_targets(caplog: pytest.LogCaptureFixture) -> None:
    broken = _session("http://c/api", {"ssl": Reply(500, b"")})
    collector = _collector(
        _session("http://a/api"), _session("http://b/api"), broken, env="x", addr="no"
    )
    families = await collector.collect(None)
    names = [family.name for family in families]
    assert len(names) == len(set(names)) == 133
    assert _samples(families, "nginxplus_up") == [
        ({"env": "x", "addr": "http://a/api"}, 1),
        ({"env": "x", "addr": "http://b/api"}, 1),
        ({"env": "x", "addr": "http://c/api"}, 0),
    ]
    assert _samples(families, "nginxplus_connections_active") == [
        ({"env": "x", "addr": "http://a/api"}, 214),
        ({"env": "x", "addr": "http://b/api"}, 214),
    ]
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (
        logging.WARNING,
        "error getting stats",
    )
    assert record.__dict__["fields"] == {
        "uri": "http://c/api",
        "error": "/9/ssl: expected 200 response, got 500",
    }


async def test_a_hung_target_does_not_hold_up_the_others() -> None:
    collector = PlusCollector(
        [_session("a"), _session("b", {"resolvers": None})], {}, timeout_seconds=0
    )
    families = await collector.collect(0.5)
    up = [value for _, value in _samples(families, "nginxplus_up")]
    assert up == [1, 0]


async def test_a_constant_label_and_code() -> None:
    families = await _collector(_session(), code="mine").collect(None)
    sessions = _samples(families, "nginxplus_stream_server_zone_sessions")
    assert {labels["code"] for labels, _ in sessions} == {"2xx", "4xx", "5xx"}
    ((labels, _),) = _samples(families, "nginxplus_up")
    assert labels == {"code": "mine"}


@pytest.mark.parametrize("name", ["server", "zone", "pid"])
def test_a_constant_label_of_a_name_that_is_taken(name: str) -> None:
    with pytest.raises(StartError, match=f"--prometheus.const-label {name} is a label"):
        _collector(_session(), **{name: "x"})


def _twice(*servers: str) -> Reply:
    peers = [
        {"server": server, "requests": number} for number, server in enumerate(servers)
    ]
    return reply({"u": {"peers": peers}})


async def test_one_server_twice(caplog: pytest.LogCaptureFixture) -> None:
    """Upstream answers 500 to every scrape (#23, #238)."""
    session = _session(answers={"http/upstreams": _twice("a:1", "b:1", "a:1")})
    collector = _collector(session)
    for _ in range(2):
        families = await collector.collect(None)
        encode(families, pytest.fail)
        assert _samples(families, "nginxplus_upstream_server_requests") == [
            ({"upstream": "u", "server": "a:1"}, 0),
            ({"upstream": "u", "server": "b:1"}, 1),
        ]
    (record,) = caplog.records
    assert record.__dict__["fields"] == {
        "uri": "http://n:8080/api",
        "twice": ["upstream_server u a:1"],
    }
    for answer in (_twice("a:1"), _twice("a:1", "a:1")):
        session.api.answers["http/upstreams"] = answer
        await collector.collect(None)
    assert len(caplog.records) == 2, "once more after it was gone"


WRONG: tuple[tuple[str, tuple[str | int, ...], Any, str], ...] = (
    (
        "http/upstreams",
        ("shop_api", "peers", 3, "responses", "codes", "200"),
        "many",
        (
            "http/upstreams: shop_api.peers[3].responses.codes.200: expected an "
            "integer from 0 to 18446744073709551615, got '\"many\"'"
        ),
    ),
    (
        "http/caches",
        ("pages", "hit"),
        [1],
        "http/caches: pages.hit: expected an object, got a list",
    ),
    (
        "workers",
        (2, "pid"),
        -4,
        (
            "workers: [2].pid: expected an integer from 0 to 18446744073709551615, "
            "got '-4'"
        ),
    ),
    (
        "stream/zone_sync",
        ("zones", "login"),
        False,
        "stream/zone_sync: zones.login: expected an object, got 'false'",
    ),
    (
        "connections",
        ("idle",),
        {},
        (
            "connections: idle: expected an integer from -9223372036854775808 to "
            "9223372036854775807, got an object"
        ),
    ),
    (
        "http/caches",
        ("pages", "cold"),
        "no",
        "http/caches: pages.cold: expected true or false, got '\"no\"'",
    ),
    ("ssl", (), [], "ssl: document: expected an object, got a list"),
    (
        "http/caches",
        ("a\n\ud800" + 100 * "b",),
        7,
        "http/caches: 'a\\n" + 3 * "\\ufffd" + 75 * "b" + "'...: expected an object, "
        "got '7'",
    ),
)


@pytest.mark.parametrize(("endpoint", "path", "value", "text"), WRONG)
async def test_a_value_of_the_wrong_type(
    endpoint: str,
    path: tuple[str | int, ...],
    value: Any,
    text: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = reply(replaced(documents()[endpoint], path, value))
    families = await _collector(_session(answers={endpoint: answer})).collect(None)
    assert [family.name for family in families] == ["nginxplus_up"]
    assert [record.__dict__["fields"]["error"] for record in caplog.records] == [text]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (
            reply({"active_till": 5, "reporting": {"grace": "long"}}),
            (
                "license: reporting.grace: expected an integer from 0 to "
                "18446744073709551615, got '\"long\"'"
            ),
        ),
        (Reply(500, b""), "/9/license: expected 200 response, got 500"),
    ],
)
async def test_no_license(
    answer: Reply, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    families = await _collector(_session(answers={"license": answer})).collect(None)
    assert len(families) == 133 - 4
    (record,) = caplog.records
    assert record.getMessage() == "error getting license information"
    assert record.__dict__["fields"] == {"uri": "http://n:8080/api", "error": text}


async def test_one_line_where_more_than_the_license_is_missing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers = {"license": Reply(500, b""), "connections": Reply(500, b"")}
    await _collector(_session(answers=answers)).collect(None)
    (record,) = caplog.records
    assert record.getMessage() == "error getting stats"


async def test_more_records_than_any_nginx_has(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "MAX_RECORDS", 100)
    zones: dict[str, Any] = {str(number): {} for number in range(101)}
    session = _session(answers={"http/server_zones": reply(zones)})
    families = await _collector(session).collect(None)
    assert [family.name for family in families] == ["nginxplus_up"]
    (record,) = caplog.records
    assert record.__dict__["fields"]["error"] == (
        "http/server_zones: expected at most 100 records in all documents"
    )


async def test_a_defect_of_ours_is_one_target_down(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(MemorySession):
        async def get(self, suffix: str, /, *, max_bytes: int) -> Reply:
            raise KeyError("sekret")

    broken = Broken(RecordedApi(), Target("b", "b"))
    families = await _collector(_session("a"), broken).collect(None)
    assert [value for _, value in _samples(families, "nginxplus_up")] == [1, 0]
    (record,) = caplog.records
    assert record.__dict__["fields"] == {"uri": "b", "error": "unexpected KeyError"}


async def test_others_get_their_turn_while_many_servers_are_read() -> None:
    peers = [{"server": f"10.0.{n // 256}.{n % 256}:80"} for n in range(1000)]
    session = _session(answers={"http/upstreams": reply({"u": {"peers": peers}})})
    loop = asyncio.get_running_loop()
    turns = 0

    def turn() -> None:
        nonlocal turns
        turns += 1
        loop.call_soon(turn)

    few = _collector(_session(answers={"http/upstreams": reply({})}))
    many = _collector(session)
    turn()
    before = turns
    await few.collect(None)
    between = turns
    families = await many.collect(None)
    assert turns - between >= between - before + 1000 // 32
    assert len(_samples(families, "nginxplus_upstream_server_state")) == 1000
