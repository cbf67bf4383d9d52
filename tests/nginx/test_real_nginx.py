"""The client against a real nginx: what it counts is what we did."""

from __future__ import annotations

import asyncio
import signal

import pytest

from exporters.nginx.collector import Collector
from exporters.nginx.errors import ScrapeError
from exporters.nginx.http.client import Client
from exporters.nginx.stub_status import StubStatus
from tests.nginx.conftest import Connect, RealNginx


pytestmark = pytest.mark.oracle

PATIENCE = 30.0


async def test_counts_what_we_do(real_nginx: RealNginx, connect: Connect) -> None:
    client = await connect(f"{real_nginx.url}/stub_status")
    first = await client.fetch(PATIENCE)
    second = await client.fetch(PATIENCE)
    # Each page counts the request it answers; the connection is kept and counted
    # as the one that writes.
    assert first == StubStatus(
        active=1,
        accepted=1,
        handled=1,
        requests=1,
        reading=0,
        writing=1,
        waiting=0,
    )
    assert (second.requests, second.accepted, second.active) == (2, 1, 1)


async def test_counts_other_connections(
    real_nginx: RealNginx, connect: Connect
) -> None:
    client = await connect(f"{real_nginx.url}/stub_status")
    over_unix = await connect(f"unix:{real_nginx.socket}:/stub_status")
    assert (await over_unix.fetch(PATIENCE)).accepted == 1
    status = await client.fetch(PATIENCE)
    assert (status.accepted, status.requests) == (2, 2)
    assert (status.active, status.waiting, status.writing) == (2, 1, 1)


async def test_many_at_once(real_nginx: RealNginx, connect: Connect) -> None:
    client = await connect(f"{real_nginx.url}/stub_status")
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(client.fetch(PATIENCE)) for _ in range(20)]
    assert sorted(task.result().requests for task in tasks) == list(range(1, 21))


async def test_a_reload_is_not_seen(real_nginx: RealNginx, connect: Connect) -> None:
    """The old worker closes the kept connection at some moment: no nginx_up 0."""
    client = await connect(f"{real_nginx.url}/stub_status")
    assert (await client.fetch(PATIENCE)).accepted == 1
    real_nginx.process.send_signal(signal.SIGHUP)
    async with asyncio.timeout(PATIENCE):
        while (await client.fetch(PATIENCE)).accepted == 1:
            pass


async def _error(client: Client) -> str:
    with pytest.raises(ScrapeError) as caught:
        await client.fetch(PATIENCE)
    return str(caught.value)


async def test_other_pages(real_nginx: RealNginx, connect: Connect) -> None:
    moved = await connect(f"{real_nginx.url}/moved")
    assert (await moved.fetch(PATIENCE)).requests == 2
    for path, text in {
        "/loop": "stopped after 10 redirects",
        "/forbidden": "expected 200 response, got 403: "
        "are this exporter's addresses allowed there?",
        "/none": "expected 200 response, got 404: "
        "is there a location with stub_status?",
        "/html": "body, line 1: expected 'Active connections: N', "
        "got '<html>hello</html>'",
    }.items():
        client = await connect(real_nginx.url + path)
        assert await _error(client) == text


async def test_nginx_that_goes_away(real_nginx: RealNginx, connect: Connect) -> None:
    collector = Collector(
        [await connect(f"{real_nginx.url}/stub_status")], {}, PATIENCE
    )
    families = await collector.collect(None)
    assert families[0].name == "nginx_up"
    assert len(families) == 8
    real_nginx.stop()
    (up,) = await collector.collect(None)
    assert [(sample.name, sample.value) for sample in up.samples] == [("nginx_up", 0)]
