"""The files of one job as a source, with targets that are fixed or come and go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence

from shipper.files.discovery import POLL_SECONDS, Discovery, FileSD
from shipper.files.disk import Disk
from shipper.files.supervisor import FilesSupervisor
from shipper.files.tail import Tail
from shipper.files.target import PATH, Builder, Dropped, StaticConfig
from shipper.source import Target


class FilesSource:
    """Implements `shipper.source.Source`.

    *fixed* are the ``static_configs``, *found* the ``file_sd_configs``; *disk* is the
    one of *supervisor*, which gets the targets that *builder* makes of them.
    """

    def __init__(
        self,
        job: str,
        supervisor: FilesSupervisor,
        builder: Builder,
        fixed: Sequence[StaticConfig],
        found: Sequence[FileSD] = (),
        *,
        disk: Disk,
        poll_seconds: float = POLL_SECONDS,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.job = job
        self.supervisor = supervisor
        self.stop_reading = supervisor.stop_reading
        self._builder = builder
        self._fixed = fixed
        self._discoveries = [Discovery(config) for config in found]
        self._disk = disk
        self._poll_seconds = poll_seconds
        self._now_ns = now_ns
        supervisor.set_targets(builder.build(fixed))

    async def run(self) -> None:
        """Read until `stop_reading`."""
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch(), name=f"file_sd {self.job}")
            await self.supervisor.run()
            watching.cancel()

    def not_ready(self) -> str | None:
        """Return None: files are there, or not there yet."""
        return None

    def targets(self) -> Iterator[Target]:
        """Return the files that are read, and the targets that are not used."""
        for tail in list(self.supervisor.tails.values()):
            yield self._tailed(tail)
        for dropped in self._builder.dropped:
            yield self._dropped(dropped)

    async def _watch(self) -> None:
        while self._discoveries:
            changed = [
                await self._disk.ask(discovery.look) for discovery in self._discoveries
            ]
            if any(changed):
                found = [group for item in self._discoveries for group in item.groups]
                targets = self._builder.build([*self._fixed, *found])
                self.supervisor.set_targets(targets)
            await asyncio.sleep(self._poll_seconds)

    def _tailed(self, tail: Tail) -> Target:
        offset, size = tail.progress
        since_ns = tail.waiting_since_ns
        lag = 0.0 if since_ns is None else max(0, self._now_ns() - since_ns) / 1e9
        return Target(
            job=self.job,
            kind="file",
            name=tail.path,
            discovered=tail.discovered,
            streams={tail.path: tail.labels},
            lag_seconds=lag,
            error=tail.error,
            details={"offset": str(offset), "size": str(size)},
        )

    def _dropped(self, dropped: Dropped) -> Target:
        return Target(
            job=self.job,
            kind="file",
            name=dropped.discovered.get(PATH, ""),
            discovered=dropped.discovered,
            details={"not_used": dropped.reason},
        )
