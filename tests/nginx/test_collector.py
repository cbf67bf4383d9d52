from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from exporters.nginx.collector import Collector
from exporters.nginx.http.client import Client
from exporters.toolkit.metric import Metric
from tests.nginx.conftest import Connect, always, fake_nginx, page, response


PATIENCE = 30.0


def _samples(families: list[Metric], name: str) -> dict[str, float]:
    return {
        sample.labels.get("addr", ""): sample.value
        for family in families
        if family.name == name
        for sample in family.samples
    }


async def test_several_sockets_and_a_port_never_mix(
    connect: Connect, tmp_path: Path
) -> None:
    """Upstream answers for all of them with the last one's numbers."""
    async with (
        fake_nginx(always(response(page(11))), path=tmp_path / "a") as (_, a),
        fake_nginx(always(response(page(22))), path=tmp_path / "b") as (_, b),
        fake_nginx(always(response(page(33)))) as (_, c),
    ):
        clients = [await connect(uri) for uri in (a, b, c)]
        collector = Collector(clients, {}, PATIENCE)
        for _ in range(2):
            families = await collector.collect(None)
            requests = _samples(families, "nginx_http_requests_total")
            assert requests == {a: 11, b: 22, c: 33}


async def test_hung_targets_do_not_hold_up_the_others(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """All are asked at once: each answers only when all three were asked."""
    everyone = asyncio.Barrier(3)
    release = asyncio.Event()

    async def good(writer: asyncio.StreamWriter) -> None:
        await everyone.wait()
        writer.write(response(page(5)))

    async def hung(writer: asyncio.StreamWriter) -> None:
        await everyone.wait()
        await release.wait()

    async with (
        fake_nginx(good) as (_, a),
        fake_nginx(hung) as (_, b),
        fake_nginx(good) as (_, c),
    ):
        clients = [await connect(uri) for uri in (a, b, c)]
        families = await Collector(clients, {"env": "x"}, 0.5).collect(None)
        assert not release.is_set()
        release.set()
    assert _samples(families, "nginx_up") == {a: 1, b: 0, c: 1}
    assert _samples(families, "nginx_http_requests_total") == {a: 5, c: 5}
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "error getting stats"
    assert record.__dict__["fields"] == {
        "uri": b,
        "error": "no complete answer within 0.5s",
    }


async def test_two_scrapes_of_a_slow_nginx_do_not_queue(connect: Connect) -> None:
    """Upstream serialises them: the second waits twice as long."""
    both = asyncio.Barrier(2)

    async def slow(writer: asyncio.StreamWriter) -> None:
        await both.wait()
        writer.write(response(page()))

    async with fake_nginx(slow) as (_, uri):
        collector = Collector([await connect(uri)], {}, PATIENCE)
        scrapes = (collector.collect(None), collector.collect(None))
        for families in await asyncio.gather(*scrapes):
            assert _samples(families, "nginx_up") == {"": 1}


async def test_no_credentials_in_metrics_or_logs(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    elsewhere = "Location: http://u:sekret@nginx.invalid/"
    bodies = [
        response(page()),
        response(b"", "401 Unauthorized"),
        response(b"", "302 Found", elsewhere),
        response(b"", "302 Found", "Location: ftp://u:sekret@h/"),
        b"junk\r\n\r\n",
    ]
    for body in bodies:
        async with fake_nginx(always(body)) as (_, uri):
            given = uri.replace("//", "//u:sekret@")
            clients = [await connect(given), await connect(given + "?2")]
            families = await Collector(clients, {}, PATIENCE).collect(None)
        assert "sekret" not in repr(families)
        assert uri in _samples(families, "nginx_up")
    assert len(caplog.records) >= 8
    logged = "".join(repr(record.__dict__) for record in caplog.records)
    assert "sekret" not in logged
    assert "dTpzZWtyZXQ" not in logged


async def test_a_defect_of_ours_is_one_target_down(
    connect: Connect,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(self: Client) -> None:
        raise KeyError("sekret")

    monkeypatch.setattr(Client, "get", broken)
    collector = Collector([await connect("http://u:sekret@h/")], {}, PATIENCE)
    assert _samples(await collector.collect(None), "nginx_up") == {"": 0}
    fields = caplog.records[0].__dict__["fields"]
    assert fields == {"uri": "http://h/", "error": "unexpected KeyError"}
