"""Rotations of a real nginx's files, as logrotate does them."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.nginx.access_log.sources import files, paths
from exporters.nginx.access_log.sources.files import follow_files
from exporters.nginx.access_log.sources.follow import Follower
from tests.nginx.access_log.nginx_log import LoggingNginx, logging_nginx
from tests.nginx.access_log.sending import PATIENCE_SECONDS, Lines


pytestmark = pytest.mark.oracle

PER_STEP = 50


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(paths, "GLOB_SECONDS", 0.02)


def _rename_create_signal(
    log: Path, nginx: LoggingNginx, ask: Callable[[], None]
) -> None:
    """Do what logrotate does with ``create`` and a postrotate script."""
    log.rename(f"{log}.1")
    ask()  # still to the old one
    log.touch()
    log.chmod(0o666)
    ask()
    nginx.reopen_logs()


def _rename_signal(log: Path, nginx: LoggingNginx, _ask: Callable[[], None]) -> None:
    log.rename(f"{log}.1")
    nginx.reopen_logs()


def _remove_signal(log: Path, nginx: LoggingNginx, ask: Callable[[], None]) -> None:
    log.unlink()
    ask()
    nginx.reopen_logs()


def _rename_compress(log: Path, nginx: LoggingNginx, ask: Callable[[], None]) -> None:
    log.rename(f"{log}.1")
    ask()
    nginx.reopen_logs()
    shutil.copy(f"{log}.1", f"{log}.2.gz")
    os.unlink(f"{log}.1")


@pytest.mark.parametrize(
    "rotate",
    [_rename_create_signal, _rename_signal, _remove_signal, _rename_compress],
)
@pytest.mark.parametrize("buffer", ["", "buffer=4k flush=1h"])
async def test_nothing_is_lost_and_nothing_counted_twice(
    tmp_path: Path,
    rotate: Callable[[Path, LoggingNginx, Callable[[], None]], None],
    buffer: str,
) -> None:
    log = tmp_path / "access.log"
    lines = Lines()
    asked: list[str] = []
    with logging_nginx(tmp_path, f"access_log {log} uri {buffer};") as nginx:

        def ask() -> None:
            paths = [f"/{len(asked) + number}" for number in range(PER_STEP)]
            asked.extend(paths)
            nginx.get(*paths)

        async with follow_files([f"{tmp_path}/access.log*"], lines) as follower:
            await until_files(follower, 1)
            for number in range(3):
                await asyncio.to_thread(ask)
                await asyncio.to_thread(rotate, log, nginx, ask)
                await lines.until(len(asked))
                # A file that comes and goes between two looks is not seen.
                await until_files(follower, number + 2)
            await asyncio.to_thread(ask)
            await asyncio.to_thread(nginx.stop)  # writes what it has in its buffer
            await lines.until(len(asked))
    assert sorted(lines.lines) == sorted(
        f'{{"request_uri":"{path}"}}'.encode() for path in asked
    )


async def until_files(follower: Follower, count: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while follower.state.files != count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # nothing says when a file was found


async def test_copytruncate(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    lines = Lines()
    count = 0
    with logging_nginx(tmp_path, f"access_log {log} uri;") as nginx:
        async with follow_files([f"{log}*"], lines) as follower:
            await until_files(follower, 1)
            for number in range(5):
                await asyncio.to_thread(nginx.get, *[f"/{number}"] * PER_STEP)
                count += PER_STEP
                await lines.until(count)
                shutil.copy(log, f"{log}.{number + 1}")
                os.truncate(log, 0)
            await asyncio.to_thread(nginx.stop)
    assert len(lines.lines) == count
