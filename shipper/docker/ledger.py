"""Which containers one job reads and how far: `Progress` objects, to and from text.

Three entries a container, beside each other in the file of `shipper.positions`:

``cursor-<id>``                 whole seconds; promtail's, so that going back works
``docker:<job>:<id>``           ``since=<ns>``, and ``gone=<s>`` once it is removed
``docker:<job>:<id>:<stream>``  ``<ns> <checksum>,… [high=<ns>] [n=<lines>]``: a `Mark`

promtail drops the keys that it does not know while it runs. Should it have moved its
cursor past ours, ours are stale and its cursor counts.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping

from shipper.docker.backlog import Backlog
from shipper.docker.frames import STDERR, STDOUT
from shipper.docker.marks import format_mark, parse_mark
from shipper.docker.progress import SECOND_NS, Mark, Moves, Position, Progress
from shipper.docker.spooled import scan
from shipper.positions import Positions
from shipper.spool.volume import Volume


log = logging.getLogger(__name__)

STREAM_NAMES = {STDOUT: "stdout", STDERR: "stderr"}

KEEP_GONE_SECONDS = 24 * 3600.0

MAX_NS = (1 << 63) - 1
"""The last time that the Docker API takes; it answers 500 to a later one."""


def _number(text: str, limit: int = MAX_NS) -> int:
    """Return the number that *text* is; ValueError unless it is from 0 to *limit*."""
    number = int(text)
    if not 0 <= number <= limit:
        raise ValueError(f"expected a number from 0 to {limit}, got {text}")
    return number


class Ledger:
    """The containers of one job; *job* tells apart jobs that read the same ones.

    *now* gives seconds since 1970, *keep_gone_seconds* is how long the place in a
    removed container's log is remembered. In *volume* their backlogs are kept.
    """

    def __init__(
        self,
        positions: Positions,
        job: str,
        volume: Volume | None = None,
        *,
        keep_gone_seconds: float = KEEP_GONE_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._positions = positions
        self._job = job
        self._volume = volume
        self._prefix = f"docker:{job}:"
        self._keep_gone_seconds = keep_gone_seconds
        self._now = now
        self._open: dict[str, Progress] = {}
        # What was said of all, of one, and of which state: asked twice a second, and
        # for 200 containers that took 3 ms of CPU where none had logged anything.
        self._moves = Moves()
        self._said_at = -1
        self._said: Mapping[str, str | None] = {}
        self._told: dict[str, tuple[tuple[int, float | None], dict[str, str]]] = {}
        self._backlogs: dict[str, Backlog] = {}
        self._in_use: set[str] = set()
        self._kept = self._kept_ids()
        """The containers that the positions may have entries of."""
        self._gone = self._read_gone()
        self._removed: set[str] = set()
        positions.register(self._changes)

    def progress(self, container_id: str) -> Progress:
        """Return the one progress of *container_id*, as it was left last time.

        It is kept in memory until `release` and while lines are in flight.
        """
        self._in_use.add(container_id)
        self._exists(container_id)
        return self._opened(container_id)

    def _opened(self, container_id: str) -> Progress:
        progress = self._open.get(container_id)
        if progress is None:
            progress = Progress(self._position(container_id), self._moves)
            self._open[container_id] = progress
            self._kept.add(container_id)
        return progress

    async def open_spool(self) -> None:
        """Take over what the spool holds from before; call it before all others."""
        if self._volume is None:
            return
        for container_id in self._volume.docker_ids(self._job):
            queue = self._volume.docker_queue(self._job, container_id)
            found = await self._volume.call(scan, queue)
            progress = self._opened(container_id)
            backlog = Backlog(progress, self._volume, queue, found)
            self._backlogs[container_id] = backlog
            log.info(
                "lines of a container wait in the spool",
                extra={"fields": {"container": container_id[:12], "bytes": queue.size}},
            )

    def backlog(self, container_id: str) -> Backlog | None:
        """Return the one backlog of *container_id*; None: there is no spool."""
        backlog = self._backlogs.get(container_id)
        if backlog is None and self._volume is not None:
            queue = self._volume.docker_queue(self._job, container_id)
            backlog = Backlog(self._opened(container_id), self._volume, queue)
            self._backlogs[container_id] = backlog
        return backlog

    def waiting(self) -> list[str]:
        """Return the containers whose lines wait in the spool."""
        return [key for key, backlog in self._backlogs.items() if backlog.waiting]

    def release(self, container_id: str) -> None:
        """Note that nobody reads *container_id* any more."""
        self._in_use.discard(container_id)
        self._moves.add()

    def set_gone(self, container_id: str) -> None:
        """Note that *container_id* was removed: forget it some time from now."""
        known = self._prefix + container_id in self._positions
        if (known or container_id in self._open) and container_id not in self._gone:
            self._gone[container_id] = self._now()
            self._moves.add()
        if container_id in self._backlogs:
            self._backlogs[container_id].doomed = True

    def set_existing(self, container_ids: Collection[str]) -> None:
        """Note that no other containers than *container_ids* exist."""
        # Kept as a set: to look through all positions took 0.7 ms of CPU for 100.
        for container_id in self._kept - set(container_ids):
            self.set_gone(container_id)
            if container_id not in self._gone:  # nothing was ever read of it
                self._kept.discard(container_id)
        for container_id in container_ids:
            self._exists(container_id)

    def _exists(self, container_id: str) -> None:
        if self._gone.pop(container_id, None) is not None:
            self._moves.add()

    @property
    def in_flight(self) -> int:
        """How many lines of all containers were put and not acknowledged."""
        return sum(progress.in_flight for progress in self._open.values())

    def _kept_ids(self) -> set[str]:
        keys = [key for key in self._positions.keys() if self._owns(key)]  # noqa: SIM118  # not a dict
        return {key.removeprefix(self._prefix) for key in keys}

    def _owns(self, key: str) -> bool:
        return key.startswith(self._prefix) and ":" not in key[len(self._prefix) :]

    def _read_gone(self) -> dict[str, float]:
        gone = {}
        for container_id in self._kept:
            fields = self._fields(self._prefix + container_id)
            if "gone" in fields:
                gone[container_id] = float(fields["gone"])
        return gone

    def _fields(self, key: str) -> dict[str, int]:
        """Return the numbers of the entry *key*; an unreadable one has none."""
        try:
            words = [word.partition("=") for word in self._positions[key].split(" ")]
            return {name: _number(value) for name, _, value in words}
        except KeyError:
            return {}
        except ValueError as error:
            log.error("%s: entry %s: %s", self._positions.path, key, error)  # noqa: TRY400  # one line, no traceback
            return {}

    def _position(self, container_id: str) -> Position | None:
        key = self._prefix + container_id
        since_ns = self._fields(key).get("since")
        promtail_ns = self._promtail_ns(container_id)
        if since_ns is None or (promtail_ns or 0) // SECOND_NS > since_ns // SECOND_NS:
            return Position(promtail_ns) if promtail_ns is not None else None
        marks = {stream: self._mark(f"{key}:{name}") for stream, name in _STREAMS}
        return Position(since_ns, {k: mark for k, mark in marks.items() if mark})

    def _promtail_ns(self, container_id: str) -> int | None:
        key = f"cursor-{container_id}"
        try:
            return _number(self._positions[key], MAX_NS // SECOND_NS) * SECOND_NS
        except KeyError:
            return None
        except ValueError:
            log.error("%s: entry %s: expected seconds", self._positions.path, key)  # noqa: TRY400  # one line, no traceback
            return None

    def _mark(self, key: str) -> Mark | None:
        try:
            return parse_mark(self._positions[key])
        except KeyError:
            return None
        except ValueError as error:
            log.error("%s: entry %s: %s", self._positions.path, key, error)  # noqa: TRY400  # one line, no traceback
            return None

    def _changes(self) -> Mapping[str, str | None]:
        """Return the entries of all containers (see `Positions.register`)."""
        self._forget()
        if self._said_at == self._moves.count:
            return self._said
        self._said_at = self._moves.count
        changes: dict[str, str | None] = {}
        for container_id in self._removed:
            changes.update(dict.fromkeys(self._keys(container_id)))
        self._removed.clear()
        for container_id, progress in list(self._open.items()):
            changes.update(self._entries(container_id, progress))
            if container_id not in self._in_use and self._is_done(container_id):
                # What is written says it all: many containers come and go.
                self._close(container_id)
            elif container_id not in self._in_use:
                self._moves.add()  # look again
        for container_id in self._gone:
            if self._prefix + container_id in changes:
                continue
            since = self._fields(self._prefix + container_id).get("since", 0)
            changes[self._prefix + container_id] = self._head(container_id, since)
        self._said = changes
        return changes

    def _forget(self) -> None:
        limit = self._now() - self._keep_gone_seconds
        for container_id in [key for key, at in self._gone.items() if at <= limit]:
            if container_id in self._in_use or not self._is_done(container_id):
                continue
            del self._gone[container_id]
            self._close(container_id)
            self._removed.add(container_id)
            self._kept.discard(container_id)
            self._moves.add()

    def _is_done(self, container_id: str) -> bool:
        progress = self._open.get(container_id)
        backlog = self._backlogs.get(container_id)
        flying = progress is not None and progress.in_flight
        return not flying and (backlog is None or backlog.empty)

    def _close(self, container_id: str) -> None:
        self._open.pop(container_id, None)
        self._told.pop(container_id, None)
        backlog = self._backlogs.pop(container_id, None)
        if backlog is not None:
            backlog.close()

    def _keys(self, container_id: str) -> list[str]:
        key = self._prefix + container_id
        streams = [f"{key}:{name}" for _, name in _STREAMS]
        return [f"cursor-{container_id}", key, *streams]

    def _entries(self, container_id: str, progress: Progress) -> dict[str, str]:
        """Return what to keep of a container, made anew only when it has changed."""
        state = (progress.moves.count, self._gone.get(container_id))
        before, entries = self._told.get(container_id, (None, {}))
        if state != before:
            entries = self._texts(container_id, progress.position)
            self._told[container_id] = state, entries
        return entries

    def _texts(self, container_id: str, position: Position) -> dict[str, str]:
        if not position.since_ns:
            return {}
        key = self._prefix + container_id
        entries = {
            f"cursor-{container_id}": str(position.since_ns // SECOND_NS),
            key: self._head(container_id, position.since_ns),
        }
        for stream, mark in position.marks.items():
            entries[f"{key}:{STREAM_NAMES[stream]}"] = format_mark(mark)
        return entries

    def _head(self, container_id: str, since_ns: int) -> str:
        gone = self._gone.get(container_id)
        return f"since={since_ns}" + ("" if gone is None else f" gone={int(gone)}")


_STREAMS = tuple(STREAM_NAMES.items())
