"""The program as a process: signals, kill -9, and what it says when it cannot start."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from shipper.loki.encode import encode_push
from shipper.pipeline.entry import Entry
from shipper.store.schema import open_writer


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Process:
    def __init__(self, path: Path, *flags: str) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "shipper.store", f"--storage.path={path}",
                f"--web.listen-address=127.0.0.1:{self.port}", *flags,
            ],
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if "Listening on" in line:
                return
        pytest.fail("the store did not start")

    def push(self, number: int, count: int) -> int:
        first = time.time_ns()
        entries = [Entry(first + n, b"%d %d" % (number, n)) for n in range(count)]
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/loki/api/v1/push",
            data=encode_push(f'{{client="{number % 3}"}}', entries),
            headers={"Content-Type": "application/x-protobuf"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            return int(response.status)

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        assert self.process.stderr is not None
        self.process.stderr.read()
        self.process.stderr.close()
        return self.process.wait(10)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "logs.db"


def test_kill_9_loses_nothing_that_was_answered(path: Path) -> None:
    answered: list[int] = []
    for round_ in range(3):
        store = Process(path)
        enough = threading.Event()

        def push(start: int, store: Process = store, enough: threading.Event = enough,
                 ) -> None:  # fmt: skip
            for number in range(start, start + 10_000):
                try:
                    assert store.push(number, 20) == 204
                except (OSError, urllib.error.URLError):
                    return
                answered.append(number)
                if len(answered) % 40 == 39:
                    enough.set()

        threads = [
            threading.Thread(target=push, args=(round_ * 100_000 + n * 10_000,))
            for n in range(3)
        ]
        for thread in threads:
            thread.start()
        assert enough.wait(20)
        assert store.end(signal.SIGKILL) == -signal.SIGKILL
        for thread in threads:
            thread.join(20)
    connection = open_writer(str(path))
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    found = {row[0] for row in connection.execute("SELECT line FROM entries")}
    expected = {b"%d %d" % (number, n) for number in answered for n in range(20)}
    assert len(answered) >= 3 * 39
    assert expected <= found
    connection.close()


def test_sigterm_is_orderly(path: Path) -> None:
    store = Process(path)
    assert store.push(1, 5) == 204
    started = time.monotonic()
    assert store.end(signal.SIGTERM) == 0
    assert time.monotonic() - started < 9
    assert not os.path.exists(f"{path}-wal")  # checkpointed and closed


def start(*flags: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "shipper.store", *flags],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


def one_line(answer: tuple[int, str], text: str) -> None:
    code, stderr = answer
    assert code == 1
    assert text in stderr
    assert len(stderr.splitlines()) == 1


def test_a_busy_port(path: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        address = f"127.0.0.1:{port}"
        answer = start(f"--storage.path={path}", f"--web.listen-address={address}")
        one_line(answer, f"listen tcp {address}: bind: address already in use")


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    answer = start(f"--storage.path={tmp_path}/file/logs.db")
    one_line(answer, f"storage folder {tmp_path}/file: ")


def test_a_foreign_file(tmp_path: Path) -> None:
    (tmp_path / "logs.db").write_text("not a database, but long enough " * 99)
    one_line(start(f"--storage.path={tmp_path}/logs.db"), "file is not a database")


@pytest.mark.parametrize(
    "flag", ["--distributor.max-line-size=x", "--store.retention=1 day", "--nothing"]
)
def test_a_wrong_flag(flag: str) -> None:
    code, stderr = start(flag)
    assert code == 1
    assert stderr.startswith("log_store: error: ")
    assert stderr.endswith(", try --help\n")


def test_help_shows_readable_defaults() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "shipper.store", "--help"],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert "--distributor.max-line-size=256KB" in done.stdout
    assert "--validation.reject-old-samples.max-age=7d" in done.stdout
