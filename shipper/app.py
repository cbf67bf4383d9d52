"""The program: one road at a time, a reload between two, and the pages beside it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from exporters.toolkit.errors import StartError
from exporters.toolkit.http.server import Server
from exporters.toolkit.serving import serve_with

from .config.load import Loaded
from .config.model import Config
from .meters import LagCollector, Meters
from .road import Modes, Road
from .show import show
from .source import Target
from .web import View, shipper_app


log = logging.getLogger(__name__)

UNCHANGED = "config has not changed"
RELOAD_SECONDS = 30.0
"""How long who asked for a reload waits for the road to change."""

Load = Callable[[], Loaded]
"""Reads the configuration again. Raises StartError."""


class App:
    """Ships logs as a configuration says, and as the next one says after `reload`."""

    def __init__(
        self, config: Config, load: Load | None = None, modes: Modes | None = None
    ) -> None:
        """Check that *config* can be used; nothing is opened yet.

        Raises:
            StartError: a certificate, a host or a secret cannot be used.
        """
        self._load = load
        self._modes = modes or Modes()
        self._meters = Meters()
        self._road = Road(config, self._meters, self._modes)
        self._next: Road | None = None
        self._failure = ""
        self._leave = asyncio.Event()
        self._reloading = asyncio.Lock()

    async def serve(self, stop: asyncio.Event) -> None:
        """Run until *stop* is set; then stop in order.

        Raises:
            StartError: the port is taken, or the first road cannot be opened.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                http_stop = asyncio.Event()
                pages = tasks.create_task(self._serve_pages(http_stop))
                await self._drive(stop)
                http_stop.set()
                await pages
        except BaseExceptionGroup as group:
            start_errors, _ = group.split(StartError)
            if start_errors is not None:
                raise _first(start_errors) from None
            raise

    async def reload(self) -> str | None:
        """Change to the configuration as it is now; return why not, if not.

        The old one goes on when the new one is wrong. No line is lost: what the old
        road did not get acknowledged, the new one reads again.
        """
        async with self._reloading:
            problem = await self._change()
        counters = self._meters.shipper
        if problem is None:
            counters.reload_success.inc()
            log.info("configuration reloaded")
        else:
            counters.reload_fail.inc()
            log.error("configuration not reloaded: %s", problem)
        return problem

    async def _change(self) -> str | None:
        if self._load is None:
            return "there is no config file"
        try:
            loaded = await asyncio.to_thread(self._load)
            if loaded.config == self._road.config:
                return UNCHANGED
            road = Road(loaded.config, self._meters, self._modes)
        except StartError as error:
            return str(error)
        for warning in loaded.warnings:
            log.warning("%s", warning)
        if loaded.config.server != self._road.config.server:
            log.warning("server: changed, that takes effect at the next start")
        self._next = road
        self._leave.set()
        try:
            async with asyncio.timeout(RELOAD_SECONDS):
                await road.tried.wait()
        except TimeoutError:
            return f"the old one did not end within {RELOAD_SECONDS:g} s"
        return None if road.opened else self._failure

    async def _drive(self, stop: asyncio.Event) -> None:
        """Run road after road, the last until *stop* is set.

        One that cannot be opened after all is followed by the one before it; if that
        cannot be opened either, the program ends.
        """
        before: Config | None = None
        while True:
            config: Config | None = self._road.config
            try:
                await self._run_road(stop)
            except* StartError as errors:
                if before is None or self._road.opened:
                    raise
                self._failure = str(_first(errors))
                self._next = Road(before, self._meters, self._modes)
                self._road.tried.set()
                config = None  # nothing to go back to
            if stop.is_set() or self._next is None:
                return
            self._next.left_over = self._road.left_over
            self._leave.clear()
            before, self._road, self._next = config, self._next, None

    async def _run_road(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            forward = tasks.create_task(_forward(stop, self._leave))
            await self._road.run(self._leave)
            forward.cancel()

    async def _serve_pages(self, stop: asyncio.Event) -> None:
        config = self._road.config
        if config.server.disable:
            return
        self._meters.registry.register(LagCollector(self._targets))
        view = View(
            self._meters.registry,
            self._not_ready,
            self._targets,
            lambda: show(self._road.config),
            self.reload,
            lambda: len(server),
        )
        server = Server(shipper_app(config.server, view).answer)
        await serve_with(server, [config.server.listen], stop)

    # Asked at every request: the road changes.

    def _not_ready(self) -> str | None:
        return self._road.not_ready()

    def _targets(self) -> Iterable[Target]:
        return self._road.targets()


async def _forward(stop: asyncio.Event, leave: asyncio.Event) -> None:
    await stop.wait()
    leave.set()


def _first(group: BaseExceptionGroup[StartError]) -> StartError:
    """Return the first error in *group*, however deep it lies."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, StartError)
    return error
