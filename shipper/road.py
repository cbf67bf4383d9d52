"""The road of a log line under one configuration: sources, pipelines, sender, Lokis.

`Road.run` opens it, keeps it open, and closes it in the order that loses nothing:
intake, what stages hold back, flush, spool, positions. A reload is one road after
another.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from .config.model import Config
from .config.scrape import ScrapeConfig
from .files.reader import Budget
from .files.settings import MAX_OPEN_FILES
from .jobs import Yard, docker_host, sources
from .leftovers import LeftOver, Leftovers
from .loki.client import PushClient
from .loki.configure import client_settings, entry_limits
from .loki.dry_run import Printer, clients_configured
from .loki.health import Health
from .loki.sender import Sender
from .loki.watch import watch
from .meters import Meters
from .pipeline.entry import BoundedSink, Untracked
from .pipeline.inspect import Inspector
from .pipeline.pipeline import NamedConfig, Pipeline
from .pipeline.stage import Given, Workshop
from .pipeline.throttle import Throttle
from .positions import Positions
from .source import Source, Target
from .spool.settings import SpoolSettings
from .spool.volume import Volume
from .stdin import DEFAULT_JOB, StdinSource


log = logging.getLogger(__name__)

# Together under the 9 s of lifecycle.run; Docker kills after 10 s.
INTAKE_SECONDS = 1.0
FLUSH_SECONDS = 1.0
DRAIN_SECONDS = 3.5
SPOOL_SECONDS = 2.0
POSITIONS_SECONDS = 1.0

Work = Callable[[], Coroutine[Any, Any, None]]
"""Something to run beside the sources."""


@dataclass(frozen=True, slots=True)
class Modes:
    """What the command line asks for beside the configuration."""

    dry_run: bool = False
    inspect: bool = False
    stdin: bool = False
    spool: SpoolSettings = field(default_factory=SpoolSettings)


class Road:
    """What runs under *config*. Everything that can be wrong is found when it is made.

    Raises:
        StartError: a certificate, a host or a secret cannot be used.
    """

    def __init__(self, config: Config, meters: Meters, modes: Modes) -> None:
        self.config = config
        self._meters = meters
        self._modes = modes
        self._settings = [client_settings(client) for client in config.all_clients]
        if not modes.dry_run:
            modes.spool.check()
        for job in config.scrape_configs:
            for daemon in job.docker_sd_configs:
                docker_host(daemon)
        self.tried = asyncio.Event()
        """Set when everything is open, or cannot be."""
        self.opened = False
        self.left_over: list[LeftOver] = []
        """Lines that no source can give again, and neither Loki nor the spool took.

        Set when the road ends, and before it is opened what the one before it left.
        """
        self._volume: Volume | None = None
        self._leftovers: Leftovers | None = None
        self._positions: Positions | None = None
        self._sender: Sender | None = None  # None: a dry run
        self._healths: list[Health] = []
        self._pipelines: list[Pipeline] = []
        self._sources: list[Source] = []

    # What the pages show

    def not_ready(self) -> str | None:
        """Return why logs do not flow to Loki, or None."""
        if not self.opened:
            return "starting"
        reasons = [source.not_ready() for source in self._sources]
        reasons += [health.reason for health in self._healths]
        return next((reason for reason in reasons if reason is not None), None)

    def targets(self) -> Iterator[Target]:
        """Return everything that is read, and what the rules drop."""
        for source in self._sources:
            yield from source.targets()

    # The work

    async def run(self, stop: asyncio.Event) -> None:
        """Ship logs until *stop* is set; then stop in order."""
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
            beside = await self._open(stack, stop)
            self.opened = True
            self.tried.set()
            helping = [tasks.create_task(work()) for work in beside]
            reading = [tasks.create_task(source.run()) for source in self._sources]
            await stop.wait()
            await self._close(reading, helping)

    async def _open(self, stack: AsyncExitStack, stop: asyncio.Event) -> list[Work]:
        """Open everything; return what else must run."""
        stack.callback(self._meters.pipelines.forget)
        positions = self._positions = Positions(
            self.config.positions.filename,
            sync_seconds=self.config.positions.sync_period,
            failed=self._meters.shipper.positions_failures.inc,
        )
        hurry: Callable[[], object] = _nothing
        running: list[Work] = []
        if self._modes.dry_run:
            print(clients_configured(self.config.all_clients), flush=True)  # noqa: T201 - what a dry run is for
            sink: BoundedSink = Printer(sys.stdout)
        else:
            sink, running = await self._connect(stack)
            running += [positions.run, *self._open_spool(sink)]
            hurry = sink.flush
        budget = Budget(MAX_OPEN_FILES)
        yard = Yard(
            self.config, positions, self._meters, budget, stack, hurry, self._volume
        )
        found: list[Source] = []
        for job in self._jobs():
            front = self._front(job, sink)
            if self._modes.stdin:
                found.append(StdinSource(job, front, stop.set))
            else:
                found += await sources(job, front, yard)
        self._sources = found
        for name in self._volume.unread() if self._volume else ():
            log.warning(
                "the spool has lines of a job that is not configured, they stay there",
                extra={"fields": {"job": name}},
            )
        return [*running, *(pipeline.run for pipeline in self._pipelines)]

    def _open_spool(self, sink: BoundedSink) -> Iterator[Work]:
        """Yield what works beside the sources: the spool, and what was left over."""
        settings = self._modes.spool
        if settings.limit_bytes:
            folder = settings.beside(self.config.positions.filename)
            meters = self._meters.spool
            self._volume = Volume(folder, settings.limit_bytes, meters)
            meters.show(self._volume)
            self._leftovers = Leftovers(self._volume)
            yield self._volume.run
        yield partial(self._put_again, sink)

    async def _put_again(self, sink: BoundedSink) -> None:
        if self._leftovers is not None:
            await self._leftovers.put_again(sink)
        while self.left_over:
            labels, entry = self.left_over[0]
            await sink.put(labels, entry, Untracked())
            del self.left_over[0]

    def _jobs(self) -> Iterable[ScrapeConfig]:
        jobs = self.config.scrape_configs
        return (jobs or (DEFAULT_JOB,))[:1] if self._modes.stdin else jobs

    def _front(self, job: ScrapeConfig, sink: BoundedSink) -> BoundedSink:
        """Return where the sources of *job* put: its stages, if it has any."""
        stages = [*job.pipeline_stages, *self._throttle]
        if not stages:
            return sink
        watch_stage = Inspector(sys.stderr).watch if self._modes.inspect else None
        workshop = Workshop(self._meters.pipelines, watch=watch_stage)
        pipeline = Pipeline(stages, workshop, sink)
        self._pipelines.append(pipeline)
        return pipeline

    @cached_property
    def _throttle(self) -> Sequence[NamedConfig]:
        """The one limit at the end of all pipelines, if there is one."""
        limits = self.config.limits_config
        if not limits.readline_rate_enabled:
            return ()
        throttle = Throttle(
            limits.readline_rate,
            limits.readline_burst,
            drop=limits.readline_rate_drop,
            meters=self._meters.pipelines,
            clock=time.monotonic,
        )
        return (("limits_config", Given(throttle)),)

    async def _connect(self, stack: AsyncExitStack) -> tuple[Sender, list[Work]]:
        """Open every client and the sender in front; return what watches them."""
        clock = asyncio.get_running_loop().time
        clients = [
            await stack.enter_async_context(PushClient(settings))
            for settings in self._settings
        ]
        self._sender = sender = await stack.enter_async_context(
            Sender(
                self._meters.shipper,
                clients=len(clients),
                entry_limits=entry_limits(self.config.limits_config),
            )
        )
        watches: list[Work] = []
        for client in clients:
            health = Health(client.settings.host, clock)
            self._healths.append(health)
            delivery = sender.connect(client.settings, client, health)
            watches.append(partial(watch, client, health, delivery))
        return sender, watches

    async def _close(
        self,
        reading: Sequence[asyncio.Task[None]],
        helping: Sequence[asyncio.Task[None]],
    ) -> None:
        """Stop in the order that loses nothing: intake, flush, spool, positions."""
        for source in self._sources:
            source.stop_reading()
        for task in helping:  # they put, too: what stages release, what was left over
            task.cancel()
        if tasks := [*reading, *helping]:
            _, slow = await asyncio.wait(tasks, timeout=INTAKE_SECONDS)
            for task in slow:
                task.cancel()
        await self._flush_stages()
        if self._sender is not None:  # a dry run keeps nothing
            await self._drain(self._sender)

    async def _flush_stages(self) -> None:
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                await asyncio.gather(*(pipe.flush() for pipe in self._pipelines))
        except TimeoutError:
            log.warning("stages hold lines that found no room, they are kept")

    async def _drain(self, sender: Sender) -> None:
        assert self._positions is not None
        left = await sender.drain(DRAIN_SECONDS)
        held = [line for pipe in self._pipelines for line in pipe.left_over()]
        self.left_over = [*sender.left_over(), *held, *self.left_over]
        if left or held:
            log.warning(
                "stopping with entries Loki did not take, they are kept",
                extra={"fields": {"entries": left, "others": len(self.left_over)}},
            )
        if self._volume is not None:
            await self._spool(self._volume)
        try:
            async with asyncio.timeout(POSITIONS_SECONDS):
                await self._positions.close()
        except TimeoutError:
            log.error(  # noqa: TRY400 - one line, no traceback
                "positions were not written in time, lines will be read again",
                extra={"fields": {"file": self._positions.path}},
            )

    async def _spool(self, volume: Volume) -> None:
        """Write to the disk what no source may be able to give again."""
        try:
            async with asyncio.timeout(SPOOL_SECONDS):
                if self.left_over and self._leftovers is not None:
                    kept = await self._leftovers.save_lines(self.left_over)
                    del self.left_over[:kept]
                await volume.close()
        except TimeoutError:
            log.error(  # noqa: TRY400 - one line, no traceback
                "the spool was not written in time",
                extra={"fields": {"folder": volume.folder}},
            )


def _nothing() -> None:
    """Hurry nobody: a dry run prints at once."""
