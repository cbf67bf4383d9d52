"""Containers that print numbered lines: started, waited for, asked, removed."""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.shipper.docker.real import RealDocker

from .diary import Diary
from .kept import Kept, everything, read_log
from .plan import STREAMS, Key, Plan


LABEL = "chaos.writer"
POLL_SECONDS = 0.3
LOG_SECONDS = 300


@dataclass
class Writer:
    """A container that was started for *plan*.

    *complete* is how many of its lives write everything; nobody but Docker knows how
    much the others wrote.
    """

    plan: Plan
    container: str
    kept: dict[Key, Kept] = field(default_factory=dict)
    complete: int = 1
    removed: bool = False
    broken: int = 0

    def written(self, key: Key) -> int:
        """Return how many lines this life wrote: by plan, or by what Docker kept."""
        if key.life <= self.complete:
            return self.plan.lines
        return max(self.kept[key].numbers, default=0) if key in self.kept else 0

    def halves(self) -> int:
        """Return how many lines may be cut in two: those that Docker cut so.

        The last of each stream may be one when the container was removed as it wrote.
        """
        return self.broken + len(STREAMS) * self.removed

    def keys(self) -> set[Key]:
        """Return what has to be in the store."""
        whole = range(1, self.complete + 1)
        names = {Key(self.plan.name, life, s) for life in whole for s in STREAMS}
        return names | set(self.kept)


class Writers:
    """All the containers of a scenario, marked as those of *docker*.

    What Docker kept passes through files in *folder*.
    """

    def __init__(self, docker: RealDocker, folder: Path, diary: Diary) -> None:
        self.docker = docker
        self.all: list[Writer] = []
        self._folder = folder
        self._diary = diary

    async def start(self, plan: Plan) -> Writer:
        """Start a container that follows *plan*."""
        options = [
            "--name", self.container_name(plan.name),
            "--label", f"{LABEL}={plan.name}",
            "--stop-signal", "KILL",
            *(["-t"] if plan.tty else []),
            *(["--rm"] if plan.rm else []),
            *plan.options,
        ]  # fmt: skip
        self._diary(f"{plan.name}: started")
        container = await self.docker.run(*options, script=plan.script)
        writer = Writer(plan, container)
        if plan.rm:
            writer.kept, writer.removed = everything(plan), True
        self.all.append(writer)
        return writer

    def container_name(self, name: str) -> str:
        """Return how the container of the writer *name* is called."""
        return f"chaos-{self.docker.mark[:8]}-{name}"

    async def finish(self, *writers: Writer, seconds: float = 120) -> None:
        """Wait until each of *writers* has written its last line.

        Raises TimeoutError when that takes longer than *seconds*.
        """
        async with asyncio.timeout(seconds):
            for writer in writers:
                while not await self._has_written(writer):  # noqa: ASYNC110  # polled
                    await asyncio.sleep(POLL_SECONDS)

    async def _has_written(self, writer: Writer) -> bool:
        if writer.removed and not writer.plan.rm:
            return True
        if not writer.plan.holds:
            look = ["inspect", "-f", "{{.State.Running}}", writer.container]
            out, _ = await self.docker(*look, check=False)
            return out.strip() != b"true"
        # The end of one stream may stand a burst before the end of the other.
        tail = str(4 * writer.plan.burst)
        out, err = await self.docker("logs", "--tail", tail, writer.container)
        last = f" {writer.plan.lines} ".encode()
        return last in out and (last in err or writer.plan.tty)

    async def remove(self, writer: Writer) -> None:
        """Take down what Docker kept and remove the container as it is."""
        await self.read_kept(writer)
        self._diary(f"{writer.plan.name}: removed")
        await self.docker("rm", "-f", writer.container)
        writer.removed = True

    async def read_all(self) -> int:
        """Ask Docker what it kept of each container that is still there.

        Returns how many lines of all of them have to be in the store.
        """
        for writer in self.all:
            if not writer.removed:
                await self.read_kept(writer)
        takable = (writer for writer in self.all if not writer.plan.refused)
        return sum(len(k.numbers) for writer in takable for k in writer.kept.values())

    async def read_kept(self, writer: Writer) -> None:
        """Ask Docker for the whole log of *writer*."""
        paths = [self._folder / f"{writer.plan.name}.{name}" for name in STREAMS]
        await asyncio.to_thread(self._save, writer.container, paths)
        kept: dict[Key, Kept] = {}
        writer.broken = 0
        for path in paths:
            pad = writer.plan.pad
            writer.broken += await asyncio.to_thread(read_log, path, pad, kept)
            path.unlink()
        writer.kept = kept

    def _save(self, container: str, paths: list[Path]) -> None:
        command = ["docker", "-H", f"unix://{self.docker.socket}", "logs", "-t"]
        with paths[0].open("wb") as out, paths[1].open("wb") as err:
            subprocess.run(
                [*command, container],
                stdout=out, stderr=err, check=True, timeout=LOG_SECONDS,
            )  # fmt: skip
