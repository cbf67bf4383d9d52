"""The real promtail, and a Loki that only writes down what it is given."""

from __future__ import annotations

import ast
import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cramjam
import pytest
from aiohttp import web

from exporters.toolkit.decode import decode
from shipper.app import App
from shipper.config.model import Config
from shipper.wire.protobuf import decode_push


# Go's strconv.Quote; what it writes, Python reads. A name may even be empty.
_PAIR = re.compile(r'(\w*)=("(?:[^"\\]|\\.)*")')


class Shipped(NamedTuple):
    """One entry as Loki was given it."""

    labels: tuple[tuple[str, str], ...]
    timestamp_ns: int
    line: bytes
    metadata: tuple[tuple[str, str], ...]
    tenant: str


@dataclass
class Recorder:
    """Answers 204 to every push and keeps its entries; *changed* is set then."""

    url: str = ""
    entries: list[Shipped] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        body = bytes(cramjam.snappy.decompress_raw(await request.read()))
        tenant = request.headers.get("X-Scope-OrgID", "")
        for stream in decode_push(body):
            labels = labels_of(stream.labels_text)
            for entry in stream.entries:
                self.entries.append(
                    Shipped(
                        labels, entry.timestamp_ns, entry.line, entry.metadata, tenant
                    )
                )
        self.changed.set()
        return web.Response(status=204)

    async def wait(self, count: int, *, seconds: float, rest: float) -> None:
        """Wait for *count* entries at the most *seconds*, then *rest* for more."""
        try:
            async with asyncio.timeout(seconds):
                while len(self.entries) < count:
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            return
        await asyncio.sleep(rest)  # that nothing more comes can only be waited for


def labels_of(text: str) -> tuple[tuple[str, str], ...]:
    """Return the pairs of ``{a="b"}``, sorted."""
    return tuple(
        sorted((name, ast.literal_eval(value)) for name, value in _PAIR.findall(text))
    )


@asynccontextmanager
async def recorder() -> AsyncIterator[Recorder]:
    """Run a `Recorder` on a port of its own."""
    found = Recorder()
    app = web.Application(client_max_size=64 << 20)
    app.router.add_post("/loki/api/v1/push", found.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    found.url = f"http://{host}:{port}/loki/api/v1/push"
    try:
        yield found
    finally:
        await runner.cleanup()


def promtail_path() -> str | None:
    """Return where PROMTAIL says that the real one is."""
    path = os.environ.get("PROMTAIL", "")
    return path if path and os.access(path, os.X_OK) else None


@asynccontextmanager
async def promtail(
    config: str, directory: Path, *, stops: bool = False
) -> AsyncIterator[Path]:
    """Run the real promtail with *config*; yields its log. Ended by its process id.

    One that *stops* is asked to, and saves its positions; else it is killed.
    """
    path = promtail_path()
    if path is None:
        pytest.skip("PROMTAIL names no promtail to compare with")
    (directory / "promtail.yaml").write_text(config)
    log = directory / "promtail.log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            path,
            f"-config.file={directory / 'promtail.yaml'}",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=directory,
        )
    try:
        yield log
        if stops:
            process.terminate()
            async with asyncio.timeout(30):
                await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def ours(config: str) -> AsyncIterator[App]:
    """Run ours with *config*; it is stopped as a signal stops it."""
    stop = asyncio.Event()
    app = App(decode(config.encode(), Config, "test.yaml"))
    task = asyncio.create_task(app.serve(stop))
    try:
        yield app
    finally:
        stop.set()
        await task


async def settled(*lokis: Recorder, least: int = 1, seconds: float = 60.0) -> None:
    """Wait until each has got *least* entries, and then nothing for two seconds."""
    async with asyncio.timeout(seconds):
        before: list[int] = []
        while (counts := [len(loki.entries) for loki in lokis]) != before or (
            min(counts) < least
        ):
            before = counts
            await asyncio.sleep(2)
