from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporters.toolkit import lifecycle
from exporters.toolkit.errors import StartError


def kill(number: int = signal.SIGTERM) -> None:
    os.kill(os.getpid(), number)


def test_returning_is_orderly() -> None:
    async def serve(stop: asyncio.Event) -> None:
        assert not stop.is_set()

    assert lifecycle.run(serve) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_sets_the_event(number: int) -> None:
    steps: list[str] = []

    async def serve(stop: asyncio.Event) -> None:
        kill(number)
        await stop.wait()
        steps.append("closed")

    assert lifecycle.run(serve) == 0
    assert steps == ["closed"]


def test_a_loop_that_knows_no_signals_is_told_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on Windows, where only signal.signal() is there."""

    def refuse(*_: object) -> None:
        raise NotImplementedError

    kept = {
        number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)
    }
    monkeypatch.setattr(asyncio.SelectorEventLoop, "add_signal_handler", refuse)
    monkeypatch.setattr(asyncio.SelectorEventLoop, "remove_signal_handler", refuse)

    async def serve(stop: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await stop.wait()

    try:
        assert lifecycle.run(serve) == 0
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def test_start_error_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    async def serve(_: asyncio.Event) -> None:
        raise StartError("config.yml:3:1: expected a mapping")

    assert lifecycle.run(serve) == 1
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.getMessage() == "config.yml:3:1: expected a mapping"
    assert record.exc_info is None


def test_errors_of_a_task_group_are_told_one_by_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def serve(_: asyncio.Event) -> None:
        raise ExceptionGroup(
            "several", [StartError("one"), ExceptionGroup("", [ValueError("two")])]
        )

    assert lifecycle.run(serve) == 1
    assert [r.getMessage() for r in caplog.records] == [
        "one",
        "Stopped by an unexpected error",
    ]


def test_unexpected_error(caplog: pytest.LogCaptureFixture) -> None:
    async def serve(_: asyncio.Event) -> None:
        raise ZeroDivisionError

    assert lifecycle.run(serve) == 1
    assert caplog.messages == ["Stopped by an unexpected error"]


def test_an_error_while_stopping_is_no_orderly_stop() -> None:
    async def serve(stop: asyncio.Event) -> None:
        kill()
        await stop.wait()
        raise OSError("cannot write positions")

    assert lifecycle.run(serve) == 1


def test_past_the_grace_it_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    steps: list[str] = []

    async def serve(_: asyncio.Event) -> None:
        kill()
        try:
            await asyncio.Event().wait()
        finally:
            steps.append("finally")

    assert lifecycle.run(serve, grace_seconds=0.05) == 0
    assert steps == ["finally"]
    assert "Stopped before everything was closed" in caplog.messages


def test_a_second_signal_hurries(caplog: pytest.LogCaptureFixture) -> None:
    async def serve(stop: asyncio.Event) -> None:
        kill()
        await stop.wait()
        kill()
        await asyncio.Event().wait()

    started = time.monotonic()
    assert lifecycle.run(serve, grace_seconds=60) == 0
    assert time.monotonic() - started < 5
    assert "Received a second SIGTERM, not waiting any longer" in caplog.messages


def test_a_task_that_refuses_to_be_cancelled_does_not_block() -> None:
    refusals: list[str] = []

    async def serve(_: asyncio.Event) -> None:
        kill()
        while len(refusals) < 2:  # cancelled by name, then with the rest
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                refusals.append("no")

    assert lifecycle.run(serve, grace_seconds=0.05) == 0
    assert refusals == ["no", "no"]


def test_reload(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []
    called = asyncio.Event()

    async def serve(_: asyncio.Event) -> None:
        for number in range(2):
            called.clear()
            kill(signal.SIGHUP)
            await called.wait()
            assert len(calls) == number + 1

    async def reload() -> None:
        calls.append(1)
        called.set()
        if len(calls) == 1:
            raise ValueError("bad file")

    assert lifecycle.run(serve, reload=reload) == 0
    assert caplog.messages == ["Reload failed"]
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL


@pytest.fixture
def hold() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_hung_threads_are_left_behind(
    hold: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    left: list[int] = []

    async def serve(_: asyncio.Event) -> None:
        asyncio.get_running_loop().run_in_executor(None, hold.wait)

    assert lifecycle.run(serve, leave=left.append) == 0
    assert left == [0]
    assert "Leaving hung threads behind" in caplog.messages


def test_idle_and_daemon_threads_do_not_matter(hold: threading.Event) -> None:
    left: list[int] = []

    async def serve(_: asyncio.Event) -> None:
        await asyncio.get_running_loop().run_in_executor(None, time.monotonic)
        threading.Thread(target=hold.wait, daemon=True).start()

    assert lifecycle.run(serve, leave=left.append) == 0
    assert left == []


PROGRAM = """
import asyncio, os, sys, threading
from exporters.toolkit import flags, lifecycle, logs, web

LISTEN = web.listen_address("127.0.0.1:0")
MODE = flags.string("mode", "What gather does.")
PROGRAM = flags.Program("demo_exporter", "", (LISTEN, MODE, *logs.LOG_FLAGS))

def run(values):
    logs.setup(values[logs.LOG_LEVEL], values[logs.LOG_FORMAT])

    async def gather(scrape):
        print("gathering", flush=True)
        if values[MODE] == "hang":
            hang = threading.Event().wait
            await asyncio.get_running_loop().run_in_executor(None, hang)
        return []

    async def serve(stop):
        app = web.exporter_app(name="demo", description="Demo", gather=gather)
        await web.serve(app, values[LISTEN], stop)

    return lifecycle.run(serve)

raise SystemExit(flags.main(PROGRAM, sys.argv[1:], os.environ, run))
"""


class Demo:
    """The program above in a process of its own."""

    def __init__(self, *argv: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *argv],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def port(self) -> int:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if "TLS is disabled." in line:
                return int(line.rpartition(":")[2])
        raise AssertionError("the program ended before it listened")

    def terminate(self) -> tuple[int, float, str]:
        started = time.monotonic()
        self.process.terminate()
        _, err = self.process.communicate(timeout=30)
        return self.process.returncode, time.monotonic() - started, err


@pytest.fixture
def demos() -> Iterator[list[Demo]]:
    started: list[Demo] = []
    yield started
    for demo in started:
        if demo.process.poll() is None:
            demo.process.kill()
        demo.process.communicate(timeout=30)


async def test_sigterm_with_an_open_keep_alive_connection(demos: list[Demo]) -> None:
    demos.append(demo := Demo())
    reader, writer = await asyncio.open_connection("127.0.0.1", demo.port())
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    code, seconds, err = demo.terminate()
    assert code == 0
    assert seconds < 5
    assert "Traceback" not in err
    writer.close()


async def test_sigterm_with_a_hung_gather(demos: list[Demo]) -> None:
    demos.append(demo := Demo("--mode=hang"))
    _, writer = await asyncio.open_connection("127.0.0.1", demo.port())
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    await writer.drain()
    assert demo.process.stdout is not None
    assert demo.process.stdout.readline() == "gathering\n"
    code, seconds, err = demo.terminate()
    assert code == 0
    assert seconds < 9
    assert 'msg="Leaving hung threads behind"' in err
    assert "Traceback" not in err
    writer.close()


def test_busy_port_is_one_error_line(demos: list[Demo]) -> None:
    demos.append(first := Demo())
    address = f"127.0.0.1:{first.port()}"
    demos.append(second := Demo(f"--web.listen-address={address}"))
    _, err = second.process.communicate(timeout=30)
    assert second.process.returncode == 1
    assert err.count("\n") == 1
    assert " level=ERROR " in err
    assert f'msg="listen tcp {address}: bind: address already in use"' in err
