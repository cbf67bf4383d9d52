from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from shipper.docker.engine import parse_event

from .conftest import (
    HEADERS,
    ID,
    FakeDocker,
    Make,
    MemorySink,
    Writer,
    chunk,
    hang,
    listed,
    log_frame,
    reply,
    running,
    whole,
)


S = 1_000_000_000
OTHER = "b" * 64
FRAMES = [log_frame(1, at * S, b"line %d" % at) for at in range(6)]
LINES = [b"line %d" % at for at in range(6)]


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for what has no event to wait for: state seen from outside."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # the state has no event
            await asyncio.sleep(0.005)


async def test_subscribes_before_it_lists(fake: FakeDocker, make: Make) -> None:
    supervisor = make()
    assert not supervisor.reachable
    assert supervisor.reason.endswith("docker.sock: not asked yet")
    async with running(supervisor):
        await until(lambda: supervisor.reachable)
    names = [request.partition("?")[0].rpartition("/")[2] for request in fake.requests]
    assert names == ["version", "events", "json", "networks"]
    assert "all=1" in fake.requests[2]
    assert fake.requests[1].startswith("/v1.41/events?")


async def test_listed_containers_are_read(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    fake.containers = [
        listed(),
        listed(OTHER, State="created"),
        listed("c" * 64, State="exited"),
    ]
    fake.logs = [whole(*FRAMES[:3]), whole(*FRAMES[3:])]
    async with running(make()):
        await sink.wait_for(6)
    assert sorted(sink.lines) == LINES
    assert len(fake.log_requests()) == 2


async def test_a_stopped_container_is_read_once(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    fake.containers = [listed(State="exited")]
    fake.logs = [whole(*FRAMES)]
    lists = []
    async with running(make(refresh_seconds=0.01)):
        await sink.wait_for(6)
        lists = fake.requests.copy()
        await until(lambda: len(fake.requests) > len(lists) + 6)
    assert len(fake.log_requests()) == 1


async def test_a_started_container_is_read_at_once(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    async with running(make()):
        await fake.subscribed.wait()
        fake.containers = [listed()]
        fake.logs = [whole(*FRAMES)]
        fake.event("start")
        await sink.wait_for(6)
    assert sink.lines == LINES


async def test_a_container_gone_before_it_is_listed_is_read(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    async with running(make()):
        await fake.subscribed.wait()
        fake.logs = [whole(*FRAMES)]
        fake.event("start", name="flash", image="x")
        await sink.wait_for(6)
    assert dict(sink.put_entries[0][0])["container_name"] == "flash"


async def test_a_container_gone_before_filters_can_tell_is_not(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    async with running(make(filters={"label": ["logging=on"]})):
        await fake.subscribed.wait()
        fake.logs = [whole(*FRAMES)]
        fake.event("start", name="flash", image="x")
        await until(lambda: not fake.logs)
    assert sink.lines == []


async def test_filters_are_sent(fake: FakeDocker, make: Make) -> None:
    supervisor = make(filters={"label": ["a=b"]})
    async with running(supervisor):
        await until(lambda: supervisor.reachable)
    assert any("label" in request and "json" in request for request in fake.requests)


async def test_a_restart_goes_on(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    fake.containers = [listed()]
    fake.logs = [whole(*FRAMES[:3])]
    supervisor = make()
    async with running(supervisor):
        await sink.wait_for(3)
        await until(lambda: not supervisor.tailers)
        fake.logs = [whole(*FRAMES)]
        fake.event("die")
        fake.event("start")
        await sink.wait_for(6)
        await until(lambda: not supervisor.tailers)
    assert sink.lines == LINES


async def test_what_ran_while_events_were_away_is_read(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    fake.containers = [listed(State="exited")]
    fake.logs = [whole(*FRAMES[:3])]
    supervisor = make()
    async with running(supervisor):
        await sink.wait_for(3)
        await until(lambda: not supervisor.tailers)
        fake.logs = [whole(*FRAMES)]
        fake.events.put_nowait(None)  # cut; it ran and stopped meanwhile
        await sink.wait_for(6)
    assert sink.lines == LINES


async def test_events_are_asked_for_from_the_last_one(
    fake: FakeDocker, make: Make
) -> None:
    supervisor = make(now_ns=lambda: 20 * S)
    async with running(supervisor):
        await fake.subscribed.wait()
        fake.event("create", OTHER)
        fake.events.put_nowait(None)
        await until(lambda: len([r for r in fake.requests if "/events" in r]) == 2)
    first, second = [request for request in fake.requests if "/events" in request]
    assert "since=10.000000000" in first
    assert "since=1795359600.0000000" in second


async def test_docker_away_and_back(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    await fake.stop()
    supervisor = make()
    fake.containers = [listed()]

    async def half(writer: Writer, query: dict[str, str]) -> None:
        writer.write(HEADERS + chunk(b"".join(FRAMES[:3])))
        await hang(writer, query)

    fake.logs = [half]
    async with running(supervisor):
        await until(lambda: "No such file" in supervisor.reason)
        await fake.start()
        await sink.wait_for(3)
        assert supervisor.reachable
        await fake.stop()
        await until(lambda: not supervisor.reachable)
        fake.logs = [whole(*FRAMES)]
        await fake.start()
        await sink.wait_for(6)
        await until(lambda: supervisor.reachable)
        assert supervisor.reason == ""
    assert sink.lines == LINES


@pytest.mark.parametrize("name", ["json", "networks", "events", "version"])
@pytest.mark.parametrize(
    "answer",
    [
        reply({"message": "client version 1.41 is too old"}, "400 Bad Request"),
        reply("").replace(b'""', b"[["),
        reply([{"Id": None}]),
        reply(7),
        b"rubbish\r\n\r\n",
        b"",
    ],
    ids=["400", "no json", "no id", "number", "rubbish", "nothing"],
)
async def test_odd_answers_are_said_and_survived(
    fake: FakeDocker, make: Make, sink: MemorySink, name: str, answer: bytes
) -> None:
    fake.broken = {name: answer}
    fake.containers = [listed()]
    fake.logs = [whole(*FRAMES)]
    supervisor = make()
    async with running(supervisor):
        await until(lambda: "not asked yet" not in supervisor.reason)
        assert "\n" not in supervisor.reason
        fake.broken = {}
        await sink.wait_for(6)
        await until(lambda: supervisor.reachable)
    assert sink.lines == LINES


async def test_a_rename_relabels(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    supervisor = make()

    async def renamed(writer: Writer, query: dict[str, str]) -> None:
        writer.write(HEADERS + chunk(FRAMES[0]))
        await writer.drain()
        await sink.wait_for(1)
        fake.containers = [listed(Names=["/new"])]
        fake.event("rename", name="new")
        tailer = supervisor.tailers[ID]
        await until(lambda: "/new" in tailer.discovered.values())
        writer.write(chunk(FRAMES[1]))
        await hang(writer, query)

    fake.containers = [listed()]
    fake.logs = [renamed]
    async with running(supervisor):
        await sink.wait_for(2)
    names = [dict(labels)["container_name"] for labels, _ in sink.put_entries]
    assert names == ["web", "new"]


async def test_stop_is_prompt_with_a_full_sink(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    sink.gate.clear()
    fake.containers = [listed()]
    fake.logs = [whole(*FRAMES)]
    supervisor = make()
    task = asyncio.create_task(supervisor.run())
    async with asyncio.timeout(5):
        await sink.asked.wait()
    supervisor.stop_reading()
    async with asyncio.timeout(1):
        await task
    assert supervisor.tailers == {}


@pytest.mark.parametrize(
    "line",
    [b"{}", b"[]", b"7", b'{"Type": "container"}', b"no json"],
)
def test_no_event(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_event(line)
