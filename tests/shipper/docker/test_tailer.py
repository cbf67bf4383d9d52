from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from shipper.docker import skips, verify
from shipper.docker.engine import Engine
from shipper.docker.frames import PART_BYTES, STDERR, STDOUT
from shipper.docker.progress import Progress
from shipper.docker.tailer import Discovered, Outcome, Settings, Tailer, stream_labels

from .conftest import (
    BASE_NS,
    HEADERS,
    ID,
    LAST_CHUNK,
    CountingMeters,
    FakeDocker,
    MemorySink,
    Writer,
    chunk,
    hang,
    log_frame,
    name_and_stream,
    reply,
    send,
    whole,
)


S = 1_000_000_000
DISCOVERED = {"__meta_docker_container_name": "/web"}
FRAMES = [log_frame(1 + at % 2, at * S, b"line %d" % at) for at in range(10)]
LINES = [b"line %d" % at for at in range(10)]

Make = Callable[..., Tailer]


async def describe() -> Discovered | None:
    return DISCOVERED


@pytest.fixture
def make(engine: Engine, settings: Settings) -> Make:
    def tailer(
        progress: Progress | None = None, *, live: bool = False, **changes: object
    ) -> Tailer:
        chosen = replace(settings, **changes)  # type: ignore[arg-type]  # a test's choice
        return Tailer(ID, engine, progress or Progress(), describe, chosen, live=live)

    return tailer


async def run(tailer: Tailer) -> Outcome:
    async with asyncio.timeout(10):
        return await tailer.run()


async def test_a_log_is_read_to_its_end(
    fake: FakeDocker, make: Make, sink: MemorySink, meters: CountingMeters
) -> None:
    fake.logs = [whole(*FRAMES)]
    assert await run(make()) is Outcome.ENDED
    assert sink.lines == LINES
    assert sink.put_entries[1][0] == (("container_name", "web"), ("stream", "stderr"))
    assert sink.put_entries[1][1].timestamp_ns == BASE_NS + S
    assert meters.counts["entries"] == 10
    assert fake.log_requests() == [
        {
            "follow": "1",
            "stdout": "1",
            "stderr": "1",
            "timestamps": "1",
            "since": "0.000000000",
        }
    ]


@pytest.mark.parametrize("cut", [0, 5, 300, 301, 305, 333, 400])
async def test_a_cut_connection_loses_and_repeats_nothing(
    fake: FakeDocker, make: Make, sink: MemorySink, meters: CountingMeters, cut: int
) -> None:
    body = b"".join(chunk(frame) for frame in FRAMES)
    fake.logs = [send(HEADERS, body[:cut]), whole(*FRAMES)]
    assert await run(make()) is Outcome.ENDED
    assert sink.lines == LINES
    assert meters.counts["reconnects"] == 1
    assert meters.counts["gaps"] == 0


async def test_a_cut_in_a_long_line_reads_it_again_whole(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    first = log_frame(1, 0, b"a" * PART_BYTES)[:-1]
    first = first[:4] + (len(first) - 8).to_bytes(4, "big") + first[8:]
    rest = log_frame(1, 0, b"rest")
    fake.logs = [send(HEADERS, chunk(first)), whole(first, rest)]
    await run(make())
    assert sink.lines == [b"a" * PART_BYTES + b"rest"]


async def test_a_reconnect_asks_with_an_overlap(fake: FakeDocker, make: Make) -> None:
    fake.logs = [send(HEADERS, *(chunk(frame) for frame in FRAMES)), whole(*FRAMES[7:])]
    await run(make())
    since = fake.log_requests()[1]["since"]
    assert since == f"{(BASE_NS + 7 * S) // S}.000000000"


@pytest.mark.parametrize(
    "fault",
    [
        send(reply({"message": "oops"}, "500 Internal Server Error")),
        send(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\nproxy"),
        send(b"SSH-2.0-OpenSSH\r\n"),
        send(b""),
        send(HEADERS, b"this is no chunk\r\n"),
        send(HEADERS, chunk(b"\x07garbage"), LAST_CHUNK),
        send(HEADERS, chunk(FRAMES[0] + b"\xff" * 8), LAST_CHUNK),
    ],
    ids=["500", "502", "ssh", "nothing", "no chunk", "garbage", "half"],
)
async def test_faults_are_tried_again(
    fake: FakeDocker,
    make: Make,
    sink: MemorySink,
    meters: CountingMeters,
    fault: Callable[..., None],
) -> None:
    fake.logs = [fault, whole(*FRAMES)]  # type: ignore[list-item]  # partials
    assert await run(make()) is Outcome.ENDED
    assert sink.lines == LINES
    assert meters.counts["reconnects"] >= 1


async def test_no_answer_is_silence(
    fake: FakeDocker, make: Make, sink: MemorySink, meters: CountingMeters
) -> None:
    # dockerd 20.10 sends no headers before the first line.
    fake.logs = [hang, hang, whole(*FRAMES)]
    assert await run(make()) is Outcome.ENDED
    assert sink.lines == LINES
    assert meters.counts["reconnects"] == 0


async def test_a_container_that_is_gone(fake: FakeDocker, make: Make) -> None:
    assert await run(make()) is Outcome.GONE


async def test_a_driver_that_cannot_be_read(
    fake: FakeDocker, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    message = "configured logging driver does not support reading"
    fake.logs = [send(reply({"message": message}, "501 Not Implemented"))]
    assert await run(make()) is Outcome.UNREADABLE
    [record] = caplog.records
    assert record.getMessage().endswith(f"/logs: HTTP 501: {message}")


async def test_a_running_container_is_followed_on(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    fake.running = {ID}

    async def stopped(writer: Writer, query: dict[str, str]) -> None:
        fake.running.clear()
        await whole(*FRAMES)(writer, query)

    fake.logs = [whole(*FRAMES[:5]), stopped]
    assert await run(make()) is Outcome.ENDED
    assert sink.lines == LINES


async def test_events_that_come_before_the_log_is_open(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    # dockerd replays those of the last seconds when one subscribes.
    fake.logs = [whole(*FRAMES), whole(*FRAMES)]
    tailer = make(live=True)
    tailer.died()
    tailer.started()
    assert await run(tailer) is Outcome.ENDED
    assert sink.lines == LINES


async def test_a_start_during_the_drain_is_not_missed(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    tailer = make()

    async def restarted(writer: Writer, query: dict[str, str]) -> None:
        await whole(*FRAMES[:5])(writer, query)
        tailer.started()

    fake.logs = [restarted, whole(*FRAMES[:8]), whole(*FRAMES)]
    assert await run(tailer) is Outcome.ENDED
    assert sink.lines == LINES


async def test_the_log_of_a_living_one_is_read_once_more_at_its_end(
    fake: FakeDocker, make: Make, sink: MemorySink, meters: CountingMeters
) -> None:
    """dockerd 20.10 may end it before the last lines are written."""
    part = log_frame(1, 10 * S, b"a" * PART_BYTES)[:-1]
    part = part[:4] + (len(part) - 8).to_bytes(4, "big") + part[8:]
    rest = log_frame(1, 10 * S, b"rest")
    fake.logs = [whole(*FRAMES, part), whole(*FRAMES, part, rest)]
    assert await run(make(live=True)) is Outcome.ENDED
    assert sink.lines == [*LINES, b"a" * PART_BYTES + b"rest"]
    assert len(fake.log_requests()) == 2
    assert meters.counts["reconnects"] == 0


async def test_a_living_one_that_is_removed_before_it_is_read_once_more(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    part = log_frame(1, 10 * S, b"a" * PART_BYTES)[:-1]
    part = part[:4] + (len(part) - 8).to_bytes(4, "big") + part[8:]
    complaint = b"\3\0\0\0\0\0\0\5oops\n"
    fake.logs = [whole(*FRAMES, part), whole(complaint)]
    assert await run(make(live=True)) is Outcome.GONE
    assert sink.lines == [*LINES, b"a" * PART_BYTES]


async def test_what_stays_silent_after_death_is_opened_again(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    tailer = make(drain_seconds=0.05)

    async def never_ends(writer: Writer, query: dict[str, str]) -> None:
        writer.write(HEADERS + chunk(b"".join(FRAMES[:5])))
        await writer.drain()
        await sink.wait_for(5)
        tailer.died()
        await hang(writer, query)

    fake.logs = [never_ends, whole(*FRAMES)]
    assert await run(tailer) is Outcome.ENDED
    assert sink.lines == LINES


async def test_the_daemon_reports_an_error(
    fake: FakeDocker, make: Make, sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    complaint = b"\3\0\0\0\0\0\0\5oops\n"
    fake.logs = [whole(*FRAMES[:3], complaint), whole(*FRAMES)]
    assert await run(make()) is Outcome.ENDED
    assert sink.lines == LINES
    assert "docker reports about the log of a container: oops" in caplog.text


async def test_a_line_without_a_time_is_shipped_and_moves_nothing(
    fake: FakeDocker, make: Make, sink: MemorySink, meters: CountingMeters
) -> None:
    progress = Progress()
    fake.logs = [whole(FRAMES[0], b"\1\0\0\0\0\0\0\5oops\n")]
    await run(make(progress))
    assert sink.lines == [b"line 0", b"oops"]
    assert meters.counts["parsing_errors"] == 1
    assert progress.position.since_ns == BASE_NS


async def test_back_pressure_reaches_the_socket(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    sent = 0
    blocked = asyncio.Event()

    async def pour(writer: Writer, query: dict[str, str]) -> None:
        nonlocal sent
        writer.write(HEADERS)
        for at in range(3000):
            writer.write(chunk(log_frame(1, at * 1000, b"x" * 10_000)))
            try:
                async with asyncio.timeout(0.3):
                    await writer.drain()
            except TimeoutError:
                blocked.set()
                await writer.drain()
            sent += 10_000
        writer.write(LAST_CHUNK)

    sink.gate.clear()
    fake.logs = [pour]
    task = asyncio.create_task(run(make()))
    async with asyncio.timeout(10):
        await blocked.wait()
    assert sent < 3_000_000
    sink.gate.set()
    assert await task is Outcome.ENDED
    assert len(sink.lines) == 3000


async def test_lines_in_flight_are_not_done(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    sink.hold = True
    progress = Progress()
    fake.logs = [whole(*FRAMES)]
    await run(make(progress))
    assert progress.in_flight == 10
    assert progress.position.since_ns == BASE_NS
    for cursor, (_, entry) in zip(sink.cursors, sink.put_entries, strict=True):
        cursor.acknowledge([entry])
    assert progress.position.since_ns == BASE_NS + 9 * S


def test_final_labels() -> None:
    assert stream_labels(name_and_stream, DISCOVERED) == {
        STDOUT: (("container_name", "web"), ("stream", "stdout")),
        STDERR: (("container_name", "web"), ("stream", "stderr")),
    }


def only_stderr(labels: dict[str, str]) -> dict[str, str] | None:
    stream = labels["__meta_docker_container_log_stream"]
    return labels | {"s": stream} if stream == "stderr" else None


async def test_a_dropped_stream_is_not_shipped(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    fake.logs = [send(HEADERS, chunk(FRAMES[0])), whole(*FRAMES)]
    await run(make(relabel=only_stderr))
    assert sink.lines == LINES[1::2]
    # Once this is known it is not even asked for.
    assert [query["stdout"] for query in fake.log_requests()] == ["1", "0"]


async def test_a_dropped_container_is_not_read(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    fake.logs = [whole(*FRAMES)]
    assert await run(make(relabel=lambda _: None)) is Outcome.UNWANTED
    assert sink.lines == []


async def test_a_rename_changes_the_labels_from_there_on(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    sink.hold = True
    progress = Progress()
    tailer = make(progress)

    async def renamed(writer: Writer, query: dict[str, str]) -> None:
        writer.write(HEADERS + chunk(b"".join(FRAMES[:4])))
        await writer.drain()
        await sink.wait_for(4)
        tailer.describe_as({"__meta_docker_container_name": "/new"})
        writer.write(chunk(b"".join(FRAMES[4:])) + LAST_CHUNK)

    fake.logs = [renamed]
    await run(tailer)
    names = [dict(labels)["container_name"] for labels, _ in sink.put_entries]
    assert names == ["web"] * 4 + ["new"] * 6
    # Acknowledged in another order, the position waits for the older lines.
    together = list(zip(sink.cursors, sink.put_entries, strict=True))
    for cursor, (_, entry) in together[4:]:
        cursor.acknowledge([entry])
    assert progress.position.since_ns == BASE_NS
    for cursor, (_, entry) in together[:4]:
        cursor.acknowledge([entry])
    assert progress.position.since_ns == BASE_NS + 9 * S


async def test_cancelled_while_the_sink_is_full(
    fake: FakeDocker, make: Make, sink: MemorySink
) -> None:
    sink.gate.clear()
    progress = Progress()
    fake.logs = [whole(*FRAMES)]
    task = asyncio.create_task(make(progress).run())
    async with asyncio.timeout(5):
        await sink.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # The line that was never taken is not done.
    assert progress.position.since_ns == BASE_NS
    assert progress.position.marks == {}


async def test_silence_after_much_of_a_file_is_looked_into(
    fake: FakeDocker, make: Make, sink: MemorySink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dockerd 20.10 may follow a file that is not written any more."""
    monkeypatch.setattr(skips, "CALM_SECONDS", 0.01)
    monkeypatch.setattr(verify, "WATCH_AFTER_BYTES", 1)
    fake.log_config = {"Type": "json-file", "Config": {"max-size": "1k"}}
    looked = asyncio.Event()

    async def followed(writer: Writer, query: dict[str, str]) -> None:
        await send(HEADERS, *(chunk(frame) for frame in FRAMES[:5]))(writer, query)
        await writer.drain()
        await looked.wait()
        writer.write(b"".join(chunk(frame) for frame in FRAMES[5:]) + LAST_CHUNK)

    async def files(writer: Writer, query: dict[str, str]) -> None:
        await whole(*FRAMES[4:9])(writer, query)
        looked.set()

    fake.logs = [followed, files]
    assert await run(make()) is Outcome.ENDED
    assert sink.lines == LINES
    assert [query["follow"] for query in fake.log_requests()] == ["1", "0"]
    assert "tail" in fake.log_requests()[1]
