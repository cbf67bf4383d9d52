"""Know which containers there are, and have each of them read by one tailer.

Events first, then the list (all=1), then the list again from time to time. Events only
say which container to look at; what is wanted follows from what is listed, so an event
that comes twice, late or not at all does no harm. The one exception is ``start``: its
tailer begins at once, because the container may be removed 100 ms later.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

from shipper.docker.engine import Engine, Event, Filters
from shipper.docker.ledger import Ledger
from shipper.docker.meta import Options, from_event
from shipper.docker.roll import Roll
from shipper.docker.stream import DockerError
from shipper.docker.tailer import (
    Describe,
    Discovered,
    Outcome,
    Settings,
    Tailer,
    stream_labels,
)


log = logging.getLogger(__name__)

EVENTS_MARGIN_NS = 10 * 1_000_000_000
"""How far back events are asked for at first; their replay is short anyway."""

LAST_READ_SECONDS = 0.8
"""How long logs of dead containers are read on after `Supervisor.stop_reading`."""

# A container in one of these states writes, or may at any moment.
_LIVE = {"running", "paused", "restarting"}


class Supervisor:
    """All containers of one daemon for one job.

    *filters* select containers as ``docker ps --filter`` does. The list is read again
    every *refresh_seconds*. `run` it as a task; it ends after `stop_reading`.
    """

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        settings: Settings,
        *,
        filters: Filters | None = None,
        refresh_seconds: float = 60.0,
        options: Options | None = None,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.reachable = False
        """Whether the daemon answers; *reason* says in one line why it does not."""
        self.reason = f"{engine.host.url}: not asked yet"
        self._engine = engine
        self._ledger = ledger
        self._settings = settings
        self._filters = dict(filters or {})
        self._refresh_seconds = refresh_seconds
        self._roll = Roll(engine, self._filters, options or Options())
        self._events_since_ns = max(0, now_ns() - EVENTS_MARGIN_NS)
        self._group: asyncio.TaskGroup | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._tailers: dict[str, Tailer] = {}
        self._known: dict[str, Discovered] = {}
        self._read_to_end: set[str] = set()
        self._unreadable: set[str] = set()
        self._unwanted: dict[str, Discovered] = {}
        self._changed: set[str] = set()
        self._change = asyncio.Event()
        self._stopping = asyncio.Event()
        self._listing = asyncio.Lock()

    @property
    def tailers(self) -> Mapping[str, Tailer]:
        """The containers that are read now, by id."""
        return self._tailers

    @property
    def known(self) -> Mapping[str, Discovered]:
        """The labels before the rules of every container that is listed, by id."""
        return self._known

    @property
    def host(self) -> str:
        """Where the daemon is."""
        return self._engine.host.url

    def wanted(self, discovered: Discovered) -> bool:
        """Say whether the rules leave a stream of such a container."""
        return bool(stream_labels(self._settings.relabel, discovered))

    def stop_reading(self) -> None:
        """Stop intake at once; what was put stays with the sink. `run` returns."""
        self._stopping.set()

    async def run(self) -> None:
        """Read all containers until `stop_reading`; await a daemon that is away."""
        async with asyncio.TaskGroup() as self._group:
            work = [
                self._group.create_task(self._watch(), name="docker events"),
                self._group.create_task(self._refresh(), name="docker list"),
            ]
            await self._stopping.wait()
            for task in work:
                task.cancel()
            await self._read_the_dead()
            for task in self._tasks.values():
                task.cancel()

    async def _read_the_dead(self) -> None:
        """Read on for a moment what may not be there at the next start."""
        dead = [key for key, tailer in self._tailers.items() if tailer.dead]
        for container_id in self._tasks.keys() - dead:
            self._tasks[container_id].cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_READ_SECONDS):
                for tailer in [self._tailers[container_id] for container_id in dead]:
                    await tailer.read_out.wait()

    # Events

    async def _watch(self) -> None:
        failures = 0
        while True:
            try:
                async with self._engine.events(self._events_since_ns) as events:
                    # While nobody listened a container may have run and stopped.
                    self._read_to_end.clear()
                    await self._reconcile(afresh=True)
                    failures = 0
                    async for event in events:
                        self._handle(event)
            except DockerError as error:
                self._lost(str(error))
            except Exception as error:
                log.exception("docker answered what cannot be understood")
                self._lost(repr(error))
            failures += 1
            self._engine.forget_version()
            await asyncio.sleep(self._settings.retry.delay(failures))

    def _handle(self, event: Event) -> None:
        self._events_since_ns = max(self._events_since_ns, event.time_ns)
        if event.kind == "network":
            self._look_at(event.attributes.get("container", ""))
        elif event.action == "start":
            self._started(event)
        elif event.action == "die":
            if tailer := self._tailers.get(event.id):
                tailer.died()
        elif event.action == "destroy":
            self._ledger.set_gone(event.id)
        elif event.action in {"create", "rename"}:
            self._look_at(event.id)

    def _started(self, event: Event) -> None:
        self._read_to_end.discard(event.id)
        self._unreadable.discard(event.id)
        tailer = self._tailers.get(event.id)
        if tailer is not None:
            tailer.started()
            return
        self._spawn(event.id, partial(self._describe, event), live=True)

    def _look_at(self, container_id: str) -> None:
        self._changed.add(container_id)
        self._change.set()

    # Lists

    async def _refresh(self) -> None:
        loop = asyncio.get_running_loop()
        next_list = loop.time() + self._refresh_seconds
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(next_list):
                    await self._change.wait()
            changed, self._changed = self._changed, set()
            self._change.clear()
            try:
                for container_id in changed:
                    await self._update(container_id)
                if loop.time() >= next_list:
                    await self._reconcile()
            except DockerError as error:
                self._lost(str(error))
            except Exception as error:
                log.exception("docker gave a list that cannot be understood")
                self._lost(repr(error))
            if loop.time() >= next_list:
                next_list = loop.time() + self._refresh_seconds

    async def _reconcile(self, *, afresh: bool = False) -> None:
        """Compare what is listed with what is read, and read what is missing.

        *afresh*: the daemon may be another one.
        """
        async with self._listing:
            listed = await self._roll.call(afresh=afresh)
        self._known = {key: labels for key, (_, labels) in listed.items()}
        self._read_to_end &= self._known.keys()
        self._unreadable &= self._known.keys()
        for container_id in self._unwanted.keys() - self._known.keys():
            del self._unwanted[container_id]
        for container_id, (state, _) in listed.items():
            self._compare(container_id, state)
        self._ledger.set_existing(self._known)
        self._feed_the_gone()
        self._found()

    def _compare(self, container_id: str, state: str) -> None:
        tailer = self._tailers.get(container_id)
        discovered = self._known[container_id]
        if tailer is not None:
            tailer.hurry()
            if state in _LIVE:
                tailer.describe_as(discovered)
            return
        done = self._unreadable if state in _LIVE else self._read_to_end
        if state == "created" or container_id in done | self._unreadable:
            return
        # To ask the rules takes 50 us, and their answer stays while the labels do.
        if self._unwanted.get(container_id) is discovered:
            return
        self._unwanted.pop(container_id, None)
        if not self.wanted(discovered):
            self._unwanted[container_id] = discovered
        else:
            describe_it = partial(_given, discovered)
            self._spawn(container_id, describe_it, live=state in _LIVE)

    def _feed_the_gone(self) -> None:
        """Ship what the spool has of containers that are not read any more."""
        for container_id in self._ledger.waiting():
            if container_id not in self._tailers:
                self._spawn(container_id, partial(_given, {}), gone=True)

    async def _update(self, container_id: str) -> None:
        """Look at one container again: created, renamed, or its networks changed."""
        state = await self._find(container_id)
        if state is None:
            return
        tailer = self._tailers.get(container_id)
        if tailer is None:
            self._compare(container_id, state)
        elif state in _LIVE:
            tailer.describe_as(self._known[container_id])

    async def _describe(self, event: Event) -> Discovered | None:
        """Return the labels of a container that has just been started."""
        if await self._find(event.id) is not None:
            return self._known[event.id]
        if event.id in self._known:  # seen when it was created
            return self._known[event.id]
        return None if self._filters else from_event(event.id, event.attributes)

    async def _find(self, container_id: str) -> str | None:
        """List one container, keep its labels, return its state; None: not there."""
        found = await self._roll.find(container_id)
        if found is None:
            return None
        self._known[container_id] = found.labels
        return found.state

    # Tailers

    def _spawn(
        self,
        container_id: str,
        describe_it: Describe,
        *,
        live: bool = False,
        gone: bool = False,
    ) -> None:
        assert self._group is not None
        tailer = Tailer(
            container_id,
            self._engine,
            self._ledger.progress(container_id),
            describe_it,
            self._settings,
            backlog=self._ledger.backlog(container_id),
            live=live,
            gone=gone,
        )
        self._tailers[container_id] = tailer
        self._tasks[container_id] = self._group.create_task(
            self._tail(tailer), name=f"docker log {container_id[:12]}"
        )

    async def _tail(self, tailer: Tailer) -> None:
        container_id = tailer.container_id
        outcome = None
        try:
            outcome = await tailer.run()
        except Exception:
            # One log that cannot be read must not end the others; the next list
            # begins it again.
            log.exception("reading a container's log failed: %s", container_id)
        finally:
            # Nothing is awaited since the tailer looked for a restart.
            del self._tailers[container_id], self._tasks[container_id]
            self._ledger.release(container_id)
        if outcome is Outcome.ENDED:
            self._read_to_end.add(container_id)
        elif outcome is Outcome.UNREADABLE:
            self._unreadable.add(container_id)
        elif outcome is Outcome.GONE:
            self._ledger.set_gone(container_id)
            self._known.pop(container_id, None)

    # State

    def _found(self) -> None:
        if not self.reachable:
            log.info("docker answers at %s", self._engine.host.url)
        self.reachable, self.reason = True, ""

    def _lost(self, reason: str) -> None:
        if self.reachable or reason != self.reason:
            log.warning("docker cannot be asked, trying again: %s", reason)
        self.reachable, self.reason = False, reason


async def _given(discovered: Discovered) -> Discovered:
    return discovered
