"""One ``loki_push_api`` job as a source: an HTTP server in front of a sink."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Final

from aiohttp import web

from exporters.toolkit.listen import format_address, open_listener
from shipper.binding import Binding
from shipper.config.push import PushConfig
from shipper.pipeline.entry import Sink
from shipper.push.content import Labeller, Relabel
from shipper.push.meters import Meters
from shipper.push.receiver import LEGACY_PATH, RAW_PATH, V1_PATH, Limits, Receiver
from shipper.source import Target
from shipper.tls import server_context
from shipper.wire.webserver import answer_errors, protocol_log


log = logging.getLogger(__name__)

_IDLE_SECONDS: Final = 120.0
# Less than the second that the program gives its sources at a stop.
_GRACE_SECONDS: Final = 0.5
_CLOSE_SECONDS: Final = 0.8


class PushSource:
    """Receives the pushes of one job; implements `shipper.source.Source`."""

    def __init__(
        self,
        job: str,
        config: PushConfig,
        relabel: Relabel,
        sink: Sink,
        meters: Meters,
        *,
        limits: Limits | None = None,
        hurry: Callable[[], object] = lambda: None,
    ) -> None:
        """Read the certificates of *config*. Raises StartError when that fails.

        *hurry* is called when a push is in the sink as a whole: its sender waits.
        """
        self.address = ""
        self.listening = asyncio.Event()
        self._job = job
        self._config = config
        self._tls = server_context(config.server.http_tls_config.certificates)
        self._receiver = Receiver(
            Labeller(job, config, relabel), sink, meters, limits or Limits(), hurry
        )
        self._binding = Binding(
            f"job {job}: loki_push_api", config.server.listen, open_listener
        )
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Serve until `stop_reading`; answer what is in flight, then return."""
        sock = await self._binding.until_open(self._stopping)
        if sock is None:
            return
        try:
            async with asyncio.TaskGroup() as tasks:
                self._receiver.own(tasks)
                await self._serve(sock, self._tls)
        finally:
            sock.close()

    def stop_reading(self) -> None:
        """Take no more pushes, at once."""
        self._stopping.set()

    def not_ready(self) -> str | None:
        """Return why nothing can be received, or None."""
        return self._binding.reason

    def targets(self) -> Iterator[Target]:
        """Return the listener."""
        labels = self._config.labels
        shown = {k: v for k, v in labels.items() if not k.startswith("__")}
        yield Target(
            job=self._job,
            kind="loki_push_api",
            name=self.address or self._config.server.listen,
            discovered=labels,
            streams={"push": tuple(sorted(shown.items()))},
            error=self._binding.reason or "",
            details={
                "entries": str(self._receiver.received),
                "requests in flight": str(self._receiver.in_flight),
            },
        )

    async def _serve(self, sock: socket.socket, tls: ssl.SSLContext | None) -> None:
        runner = web.AppRunner(
            self._app(),
            access_log=None,
            handle_signals=False,
            keepalive_timeout=_IDLE_SECONDS,
            shutdown_timeout=_CLOSE_SECONDS,
            logger=protocol_log(__name__),
        )
        await runner.setup()
        try:
            await web.SockSite(runner, sock, ssl_context=tls).start()
            self.address = format_address(sock)
            fields = {"address": self.address, "job": self._job}
            log.info("starting push server", extra={"fields": fields})
            self.listening.set()
            await self._stopping.wait()
            self._receiver.stop(_GRACE_SECONDS)
        finally:
            await runner.cleanup()
            self._receiver.close()

    def _app(self) -> web.Application:
        prefix = self._config.server.http_path_prefix.rstrip("/")
        app = web.Application(middlewares=[answer_errors])
        app.router.add_post(f"{prefix}{V1_PATH}", self._receiver.push)
        app.router.add_post(f"{prefix}{LEGACY_PATH}", self._receiver.push)
        app.router.add_post(f"{prefix}{RAW_PATH}", self._receiver.raw)
        app.router.add_get(f"{prefix}/ready", self._receiver.ready)
        return app
