"""Know which files there are, and have each of them read by one tail.

One task looks for files every ``sync_period``, one looks at those that are known, all
in one go, four times a second: there is no watch and no thread per file.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from shipper.files.ledger import FileKey, Ledger
from shipper.files.rotations import Rotations
from shipper.files.seen import Seen, look_all
from shipper.files.settings import Settings
from shipper.files.tail import Tail
from shipper.files.target import Target
from shipper.files.walk import Found, find


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to look, in seconds; promtail's defaults.

    A file that does not change is looked at less and less often, from *min_poll* down
    to every *max_poll* (promtail's ``file_watch_config``); files are looked for every
    *sync* (``target_config.sync_period``).
    """

    sync: float = 10.0
    min_poll: float = 0.25
    max_poll: float = 0.25


class FilesSupervisor:
    """All files of one job. `run` it as a task; it ends after `stop_reading`.

    It owns the disk of *settings* and closes it.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        ledger: Ledger,
        settings: Settings,
        *,
        pace: Pace | None = None,
    ) -> None:
        self._targets: Sequence[Target] = ()
        self._ledger = ledger
        self._settings = settings
        self._pace = pace or Pace()
        self._rotations: dict[str, Rotations] = {}
        self._group: asyncio.TaskGroup | None = None
        self._tails: dict[FileKey, Tail] = {}
        self._tasks: dict[FileKey, asyncio.Task[None]] = {}
        self._due: dict[FileKey, tuple[float, float]] = {}
        """When to look at a file again, and after how many seconds then."""
        self._complained: set[str] = set()
        self._retargeted = asyncio.Event()
        self._changed = False
        self._stopping = asyncio.Event()
        self.set_targets(targets)

    def set_targets(self, targets: Sequence[Target]) -> None:
        """Look for *targets* from now on.

        What is read for others is let go of at once; its place is kept.
        """
        self._settings.meters.targets_active(len(targets) - len(self._targets))
        self._targets = targets
        self._changed = True
        self._retargeted.set()

    @property
    def tails(self) -> Mapping[FileKey, Tail]:
        """The files that are read now, by target and path."""
        return self._tails

    def stop_reading(self) -> None:
        """Stop intake at once; what was put stays with the sink. `run` returns."""
        self._stopping.set()

    async def run(self) -> None:
        """Read all files until `stop_reading`."""
        try:
            async with asyncio.TaskGroup() as self._group:
                work = [
                    self._group.create_task(self._sync(), name="look for files"),
                    self._group.create_task(self._poll(), name="look at files"),
                ]
                await self._stopping.wait()
                for task in (*work, *self._tasks.values()):
                    task.cancel()
        finally:
            self._settings.disk.close()
            self._settings.meters.targets_active(-len(self._targets))

    # Which files there are

    async def _sync(self) -> None:
        while True:
            self._retargeted.clear()
            wanted: dict[FileKey, Target] = {}
            for target in self._targets:
                found = await self._settings.disk.ask(
                    find, target.include, target.exclude
                )
                self._complain(found)
                for path in found.paths:
                    wanted.setdefault((target.key, path), target)
            if not self._retargeted.is_set():
                await self._compare(wanted)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.sync):
                    await self._retargeted.wait()

    async def _compare(self, wanted: Mapping[FileKey, Target]) -> None:
        """Begin tails for what is new, and let those end that are not found."""
        for key, tail in self._tails.items():
            tail.want(key in wanted)
        if self._changed:
            self._changed = False
            self._let_go(wanted)
        new = [key for key in wanted if key not in self._tails]
        seen = await self._settings.disk.ask(look_all, [path for _, path in new])
        # All know what is at their path before one of them begins: what was rotated
        # from one to another is seen by that.
        for key, status in zip(new, seen, strict=True):
            self._spawn(key, wanted[key], status)
        self._look_soon()

    def _let_go(self, wanted: Mapping[FileKey, Target]) -> None:
        """Stop reading files that are there, but not for any target of now."""
        for key, tail in self._tails.items():
            if key not in wanted and tail.exists:
                self._ledger.suspend(key)
                self._tasks[key].cancel()
        old = {key for key, _ in self._tails} | {item.key for item in self._targets}
        for target in self._rotations.keys() - old:
            del self._rotations[target]

    def _complain(self, found: Found) -> None:
        for problem in found.problems:
            self._settings.meters.unreadable(1)
            if problem not in self._complained and len(self._complained) < 1000:
                self._complained.add(problem)
                log.warning("looking for files: %s", problem)

    def _spawn(self, key: FileKey, target: Target, seen: Seen | OSError | None) -> None:
        assert self._group is not None
        path = key[1]
        tail = Tail(
            path,
            target.stream(path),
            target.discovered,
            trail=self._ledger.trail(key),
            rotations=self._rotations.setdefault(target.key, Rotations()),
            settings=self._settings,
        )
        self._tails[key] = tail
        self._due[key] = (0.0, self._pace.min_poll)
        tail.notice(seen)
        self._tasks[key] = self._group.create_task(
            self._tail(key, tail), name=f"tail {path}"
        )

    async def _tail(self, key: FileKey, tail: Tail) -> None:
        meters = self._settings.meters
        meters.files_active(1)
        try:
            await tail.run()
        except Exception:
            # One file must not end the others; the next search begins it again.
            log.exception("reading a file failed: %s", tail.path)
            self._ledger.trail(key).restart()
        else:
            self._ledger.close(key)
        finally:
            meters.files_active(-1)
            meters.forget(tail.path)
            del self._tails[key], self._tasks[key], self._due[key]

    # What happens to them

    async def _poll(self) -> None:
        now = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(self._pace.min_poll)
            due = [key for key, (at, _) in self._due.items() if at <= now()]
            if due:
                await self._look(due)

    async def _look(self, keys: Sequence[FileKey]) -> None:
        seen = await self._settings.disk.ask(look_all, [path for _, path in keys])
        now = asyncio.get_running_loop().time()
        for key, status in zip(keys, seen, strict=True):
            tail = self._tails.get(key)
            if tail is None:
                continue
            changed = tail.notice(status)
            wait = self._pace.min_poll
            if not changed and not tail.restless:
                wait = min(self._due[key][1] * 2, self._pace.max_poll)
            # A little early: the next round comes min_poll after this one ended.
            self._due[key] = (now + wait - self._pace.min_poll / 2, wait)

    def _look_soon(self) -> None:
        """Look at every file in the next round: names may have been exchanged."""
        for key, (_, wait) in self._due.items():
            self._due[key] = (0.0, wait)
