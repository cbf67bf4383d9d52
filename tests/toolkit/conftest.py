from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from exporters.toolkit import serving, web


class Addresses(logging.Handler):
    """Catch where a server listens from its own log lines."""

    def __init__(self, wanted: int) -> None:
        super().__init__()
        self.found: list[str] = []
        self.complete = asyncio.Event()
        self._wanted = wanted

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() in {"TLS is disabled.", "TLS is enabled."}:
            fields: dict[str, str] = getattr(record, "fields", {})
            self.found.append(fields["address"])
            if len(self.found) == self._wanted:
                self.complete.set()


class Running:
    """A server that runs beside the test."""

    def __init__(self, addresses: list[str], stop: asyncio.Event) -> None:
        self.addresses = addresses
        self.stop = stop
        self.stopped = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://{self.addresses[0]}"

    @property
    def port(self) -> int:
        return int(self.addresses[0].rpartition(":")[2])


@asynccontextmanager
async def running(
    app: web.Application, *listen: str, config_file: str = ""
) -> AsyncIterator[Running]:
    listen = listen or ("127.0.0.1:0",)
    stop = asyncio.Event()
    addresses = Addresses(len(listen))
    logger = logging.getLogger(serving.__name__)
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(addresses)
    try:
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            task = group.create_task(
                web.serve(app, listen, stop, config_file=config_file)
            )
            await addresses.complete.wait()
            server = Running(addresses.found, stop)
            task.add_done_callback(lambda _: server.stopped.set())
            try:
                yield server
            finally:
                stop.set()
    finally:
        logger.removeHandler(addresses)
        logger.setLevel(level)
