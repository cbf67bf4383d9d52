"""Mounts that never answer cost one sample each: in the first scrape, too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.process import free_port, wait_until_listening


pytestmark = pytest.mark.timeout(120)

SCRIPT = Path(__file__).with_name("dead_mounts.py")
SCRAPE_TIMEOUT_SECONDS = 3.0
STUCK = re.compile(
    r'node_filesystem_device_error\{device="nobody",device_error="mountpoint timeout",'
    r'fstype="fuse.nobody",mountpoint="[^"]*"\} 1'
)


class Answer(NamedTuple):
    """One scrape: how long it took and what it said."""

    seconds: float
    text: str

    def succeeded(self, collector: str) -> bool:
        return (
            f'node_scrape_collector_success{{collector="{collector}"}} 1\n' in self.text
        )


class Host:
    """An exporter beside dead mounts."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self._url = f"http://127.0.0.1:{port}/metrics"
        self._process = process

    def scrape(self) -> Answer:
        timeout = {"X-Prometheus-Scrape-Timeout-Seconds": str(SCRAPE_TIMEOUT_SECONDS)}
        request = urllib.request.Request(self._url, headers=timeout)
        began = time.monotonic()
        with urllib.request.urlopen(request, timeout=60) as response:
            text = response.read().decode()
        return Answer(time.monotonic() - began, text)

    def threads(self) -> int:
        script = only_child(self._process.pid)
        return len(os.listdir(f"/proc/{only_child(script)}/task"))

    def release(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(b"release\n")
        self._process.stdin.flush()


def only_child(process: int) -> int:
    [child] = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return int(child)


def can_mount() -> bool:
    if os.geteuid() != 0 or not os.path.exists("/dev/fuse"):
        return False
    tried = subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True)
    return tried.returncode == 0


@contextmanager
def host(folder: Path, count: int, *flags: str) -> Iterator[Host]:
    if not can_mount():
        pytest.skip("needs root, /dev/fuse and mount namespaces")
    port = free_port()
    exporter = [sys.executable, "-m", "exporters.node"]
    listen = f"--web.listen-address=127.0.0.1:{port}"
    inside = [sys.executable, str(SCRIPT), str(folder), str(count)]
    # /proc/1/mountinfo is what is read: process 1 has to live here, too.
    apart = ["unshare", "--mount", "--pid", "--fork", "--mount-proc"]
    argv = [*apart, *inside, *exporter, listen, *flags]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stderr=pipe) as process:
        try:
            wait_until_listening(process)
            yield Host(port, process)
        finally:
            process.communicate(timeout=40)


@pytest.mark.parametrize("count", [1, 6])  # more than there are stat workers, too
def test_the_first_scrape_has_all_but_the_dead_mounts(
    count: int, tmp_path: Path
) -> None:
    with host(tmp_path / "mounts", count) as exporter:
        first = exporter.scrape()
        assert first.seconds < SCRAPE_TIMEOUT_SECONDS
        assert len(STUCK.findall(first.text)) == count
        assert first.succeeded("filesystem")
        assert first.succeeded("meminfo")
        assert "node_filesystem_size_bytes{" in first.text
        later = exporter.scrape()
        assert len(STUCK.findall(later.text)) == count
        assert later.seconds < 1
        print(f"{count}: first {first.seconds:.3f} s, later {later.seconds:.3f} s")


def test_scrapes_leave_no_threads_behind(tmp_path: Path) -> None:
    with host(tmp_path / "mounts", 3) as exporter:
        exporter.scrape()
        before = exporter.threads()
        for _ in range(20):
            exporter.scrape()
        assert exporter.threads() <= before


def test_a_mount_that_answers_again_is_seen_again(tmp_path: Path) -> None:
    with host(tmp_path / "mounts", 2) as exporter:
        assert len(STUCK.findall(exporter.scrape().text)) == 2
        exporter.release()
        deadline = time.monotonic() + 30
        while STUCK.search((answer := exporter.scrape()).text):
            assert time.monotonic() < deadline, "the mounts are still called stuck"
        assert 'device_error="transport endpoint is not connected"' in answer.text


def test_a_textfile_directory_that_hangs_costs_only_itself(tmp_path: Path) -> None:
    dead = tmp_path / "mounts/dead0"
    flag = f"--collector.textfile.directory={dead}"
    with host(tmp_path / "mounts", 1, flag) as exporter:
        for _ in range(3):
            answer = exporter.scrape()
            assert answer.seconds < SCRAPE_TIMEOUT_SECONDS
            assert not answer.succeeded("textfile")
            assert answer.succeeded("filesystem")
            assert answer.succeeded("netdev")
