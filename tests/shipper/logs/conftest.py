from __future__ import annotations

import asyncio
import io
import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from shipper.logs.cli import main
from shipper.store.app import run
from shipper.store.limits import Limits
from shipper.store.settings import Settings
from shipper.wire.webserver import serve


SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND
JSON = {"Content-Type": "application/json"}
FAR = ("--from", "2023-01-01", "--to", "2024-01-01", "--utc")
WEB = {"container_name": "web", "stream": "stdout"}

# A shell that runs tests in the background has SIGINT ignored, which is inherited.
COMMAND = (
    "import sys, os, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from shipper.logs.cli import main; "
    "sys.exit(main(sys.argv[1:], os.environ, sys.stdout, sys.stderr))"
)

Values = Sequence[tuple[int, str]]


class Store:
    """The embedded store on one port, to be started and stopped at will."""

    def __init__(self, folder: Path) -> None:
        self._path = str(folder / "logs.db")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.address = f"http://127.0.0.1:{self.port}"
        self._stack = AsyncExitStack()
        self.clock: Callable[[], int] = lambda: NOW + SECOND

    async def start(self, *, levels: bool = False, **limits: Any) -> None:
        ready = asyncio.Event()
        settings = Settings(
            path=self._path,
            listen=(f"127.0.0.1:{self.port}",),
            limits=Limits(max_query_length_ns=0, discover_log_levels=levels, **limits),
            clock=self.clock,
        )
        self._stop = asyncio.Event()

        async def serving(app: Any, stop: asyncio.Event) -> None:
            app.on_startup.append(lambda _: _set(ready))
            await serve(app, settings.listen, stop)

        self._running = asyncio.ensure_future(run(settings, self._stop, serving))
        waiting = asyncio.ensure_future(ready.wait())
        await asyncio.wait({self._running, waiting}, return_when="FIRST_COMPLETED")
        waiting.cancel()
        await self._answers()

    async def _answers(self) -> None:
        async with asyncio.timeout(10):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except ConnectionRefusedError:
                    await asyncio.sleep(0)
                else:
                    writer.close()
                    await writer.wait_closed()
                    return

    async def stop(self) -> None:
        self._stop.set()
        await self._running

    async def push(self, values: Values, labels: Mapping[str, str] = WEB) -> None:
        body = {
            "streams": [
                {"stream": labels, "values": [[str(t), text] for t, text in values]}
            ]
        }
        url = f"{self.address}/loki/api/v1/push"
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                url, data=io.BytesIO(json.dumps(body).encode()), headers=JSON
            ) as answer,
        ):
            assert answer.status == 204, await answer.text()


async def _set(event: asyncio.Event) -> None:
    event.set()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    one = Store(tmp_path)
    await one.start()
    yield one
    await one.stop()


Logs = Callable[..., Any]


@pytest.fixture
def logs(store: Store) -> Logs:
    """Run the command beside the store: (exit code, stdout, stderr)."""

    async def run_logs(*argv: str, **environ: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        given = {"LOKI_ADDR": store.address, **environ}
        code = await asyncio.to_thread(main, argv, given, out, err)
        return code, out.getvalue(), err.getvalue()

    return run_logs


def jsonl(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]
