"""Start programs, ask the kernel what they cost, and end what was started."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


STOP_SECONDS = 15.0


class BenchmarkError(Exception):
    """A run that cannot be made; one line for the person at the terminal."""


class LeftOutError(BenchmarkError):
    """What cannot be measured on this machine or without a program; one line."""


class Memory(NamedTuple):
    """What a process holds in memory, in bytes."""

    rss: int
    anonymous: int


class Running(NamedTuple):
    """A program that was started here; *log* is all it writes."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def check(self) -> None:
        """Raise BenchmarkError when the program has ended."""
        if self.process.poll() is not None:
            raise BenchmarkError(
                f"{self.process.args!r} ended with {self.process.returncode}: "
                f"{last_lines(self.log.read_text(errors='replace'))}"
            )


def last_lines(text: str, count: int = 3) -> str:
    """Return the last lines of a log on one line."""
    return " | ".join(text.splitlines()[-count:]) or "it wrote nothing"


@contextmanager
def started(
    command: Sequence[str], environ: Mapping[str, str], folder: Path
) -> Iterator[Running]:
    """Run *command* with its working directory in *folder*, and end it after.

    The command has to be started as one process that ends on SIGTERM: its children, if
    any, are its own to end. Past 15 s it is killed.
    """
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".log", delete=False) as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Running(process, Path(log.name))
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def tree(
    pid: int, read: Callable[[int], Sequence[int]] | None = None
) -> tuple[int, ...]:
    """Return *pid* and all its descendants, parents first."""
    found = [pid]
    for parent in found:  # grows while it is walked
        found.extend((read or children)(parent))
    return tuple(found)


def children(pid: int) -> tuple[int, ...]:
    """Return the processes that *pid* started (proc_pid_task_children(5))."""
    files = Path(f"/proc/{pid}/task").glob("*/children")
    return tuple(int(child) for file in files for child in file.read_text().split())


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of *pid* and its descendants, user and system.

    Each process has a clock (clock_getcpuclockid(3)) with the scheduler's own sum in
    nanoseconds. /proc/PID/stat has the same sum in ticks of 10 ms, far above one
    scrape, and task/*/schedstat forgets the threads that have ended.
    """
    return sum(time.clock_gettime(cpu_clock(each)) for each in tree(pid))


def cpu_clock(pid: int) -> int:
    """Return the id of a process' clock.

    MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED) in linux/posix-timers_types.h; Python has
    only that of threads.
    """
    return ~pid << 3 | 2


def memory(pid: int) -> Memory:
    """Return the resident memory of *pid* and its descendants.

    Pages that they share are counted once for each, as ``ps`` does.
    """
    each = [
        parse_rollup(Path(f"/proc/{process}/smaps_rollup").read_bytes())
        for process in tree(pid)
    ]
    return Memory(sum(part.rss for part in each), sum(part.anonymous for part in each))


def peak_rss(pid: int) -> int:
    """Return the most bytes that *pid* itself has held: VmHWM of proc(5)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"/proc/{pid}/status: expected VmHWM in it")


def parse_rollup(data: bytes) -> Memory:
    """Return what a smaps_rollup file says; raises ValueError for another text."""
    sizes = {}
    for line in data.splitlines()[1:]:
        fields = line.split()
        if len(fields) != 3 or fields[2] != b"kB":
            raise ValueError(f"smaps_rollup: expected 'Name: N kB', got {line!r}")
        sizes[fields[0]] = int(fields[1]) * 1024
    try:
        return Memory(sizes[b"Rss:"], sizes[b"Anonymous:"])
    except KeyError as error:
        raise ValueError(
            f"smaps_rollup: expected {error} in it, got {data!r}"
        ) from None
