from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest

from exporters.toolkit import healthcheck, whereabouts
from exporters.toolkit.serving import serve
from exporters.toolkit.web import Application, Request, Response


@pytest.fixture
def name(monkeypatch: pytest.MonkeyPatch) -> str:
    """A name of a program that nothing else of this host has."""
    unique = f"test.{uuid.uuid4().hex}"
    monkeypatch.setattr(whereabouts, "program", lambda: unique)
    return unique


@pytest.fixture
def told(name: str) -> Iterator[int]:
    fd = whereabouts.tell(["127.0.0.1:9101", "unix:/run/web.sock"], name)
    yield fd
    os.close(fd)


def test_what_is_told_is_found(name: str, told: int) -> None:
    assert told >= 0
    assert whereabouts.find(name) == ["127.0.0.1:9101", "unix:/run/web.sock"]


def test_another_process_finds_it(name: str, told: int) -> None:
    code = f"from exporters.toolkit import whereabouts as w; print(w.find({name!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, text=True, stdout=subprocess.PIPE
    )
    assert done.stdout == "['127.0.0.1:9101', 'unix:/run/web.sock']\n"


def test_another_program_is_not_meant(name: str, told: int) -> None:
    assert whereabouts.find("another") == []


def test_nothing_is_left_when_it_ends(name: str) -> None:
    os.close(whereabouts.tell(["127.0.0.1:1"], name))
    assert whereabouts.find(name) == []


def test_of_two_none_is_meant(name: str, told: int) -> None:
    fd = whereabouts.tell(["127.0.0.1:2"], name)
    assert whereabouts.find(name) == []
    os.close(fd)


def test_another_mount_namespace_is_another_container(
    name: str, told: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = whereabouts._link
    monkeypatch.setattr(
        whereabouts,
        "_link",
        lambda path: "mnt:[1]" if path == "/proc/self/ns/mnt" else link(path),
    )
    assert whereabouts.find(name) == []


def test_without_proc_nothing_is_found(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> list[str]:
        raise PermissionError(path)

    monkeypatch.setattr(os, "listdir", refuse)
    assert whereabouts.find(name) == []


async def test_a_server_is_healthy_where_it_listens(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stop = asyncio.Event()
    app = Application()
    app.add("/-/healthy", alive)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running = asyncio.create_task(serve(app, [f"127.0.0.1:{port}"], stop))
    while not whereabouts.find(name):
        assert not running.done()
        await asyncio.sleep(0)
    # Nobody listens at the address that is asked where nothing was told.
    asked = await asyncio.to_thread(
        healthcheck.run, [], "web.listen-address", "127.0.0.1:1"
    )
    stop.set()
    await running
    assert asked == 0, capsys.readouterr().err
    assert whereabouts.find(name) == []


async def alive(_request: Request) -> Response:
    return Response()
