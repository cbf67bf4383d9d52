"""Processes and threads by state (node_exporter collector/processes_linux.go).

Reads ``/proc/<pid>/stat`` (proc_pid_stat(5)) of every process, and of every thread but
the first. Built to be cheap with ten thousand processes: one listing of ``/proc``, one
open for each file, looked up below open directories, and no listing of the threads of
a process that has only one.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import GaugeMetricFamily, Metric


_VANISHED = frozenset({errno.ENOENT, errno.ESRCH})
_STAT_SIZE_BYTES = 4096  # more than the 52 numbers and a name can be
_THREADS = 17  # of the fields after the name: state is 0, num_threads 17
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Stat(NamedTuple):
    """What is wanted of one process or thread."""

    state: str
    threads: int


class Census:
    """Counts of all processes at one moment."""

    def __init__(self) -> None:
        """Begin with none."""
        self.threads = 0
        self.process_states: Counter[str] = Counter()
        self.thread_states: Counter[str] = Counter()


def parse(data: bytes) -> Stat:
    """Return state and number of threads of a stat file. Raises ValueError.

    The name, in parentheses, may itself have blanks and parentheses.
    """
    fields = data[data.rfind(b")") + 1 :].split(None, _THREADS + 1)
    if b"(" not in data or len(fields) <= _THREADS:
        raise ValueError(f"expected 'pid (name) state ...', got {data[:60]!r}")
    return Stat(procfs.text(fields[0]), procfs.parse_int(fields[_THREADS]))


def count(proc: str) -> Census:
    """Return the census of the processes below *proc*.

    One that vanishes meanwhile is not counted. Raises OSError and ValueError: counts
    that lack some processes, as with hidepid=1, would be wrong without saying so.
    """
    census = Census()
    root = os.open(proc, _DIRECTORY)
    try:
        for pid in _numbered(root):
            stat = _read(f"{pid}/stat", root)
            if stat is not None:
                census.threads += stat.threads
                census.process_states[stat.state] += 1
                _count_threads(pid, stat, root, census.thread_states)
    finally:
        os.close(root)
    return census


def _count_threads(pid: str, stat: Stat, root: int, states: Counter[str]) -> None:
    task = f"{pid}/task"
    try:
        if stat.threads == 1:
            os.stat(task, dir_fd=root)
            states[stat.state] += 1
            return
        directory = os.open(task, _DIRECTORY, dir_fd=root)
    except OSError as error:
        if error.errno in _VANISHED:
            return
        raise
    try:
        for thread in _numbered(directory):
            seen = stat if thread == pid else _read(f"{thread}/stat", directory)
            if seen is not None:
                states[seen.state] += 1
    finally:
        os.close(directory)


def _numbered(directory: int) -> list[str]:
    try:
        return [name for name in os.listdir(directory) if name.isdecimal()]
    except OSError as error:
        if error.errno in _VANISHED:
            return []
        raise


def _read(path: str, directory: int) -> Stat | None:
    """Return the stat file at *path*, None where its process has gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=directory)
        try:
            data = os.read(descriptor, _STAT_SIZE_BYTES)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in _VANISHED:
            return None
        raise
    try:
        return parse(data)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def create(context: Context) -> Collect:
    """Return the collector."""
    proc = context.paths.proc()
    threads_max = context.paths.proc("sys/kernel/threads-max")
    pid_max = context.paths.proc("sys/kernel/pid_max")

    def collect() -> Iterator[Metric]:
        census = count(proc)
        yield _gauge("threads", "Allocated threads in system", census.threads)
        limit = procfs.parse_uint(procfs.read(threads_max))
        yield _gauge("max_threads", "Limit of threads in the system", limit)
        yield from _states(census)
        limit = procfs.parse_uint(procfs.read(pid_max))
        yield _gauge("pids", "Number of PIDs", census.process_states.total())
        yield _gauge("max_processes", "Number of max PIDs limit", limit)

    return collect


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"node_processes_{name}", text, value)


def _states(census: Census) -> Iterator[Metric]:
    for name, label, text, counts in (
        (
            "state",
            "state",
            "Number of processes in each state.",
            census.process_states,
        ),
        (
            "threads_state",
            "thread_state",
            "Number of threads in each state.",
            census.thread_states,
        ),
    ):
        gauge = GaugeMetricFamily(f"node_processes_{name}", text, labels=(label,))
        for state, number in counts.items():
            gauge.add_metric((state,), number)
        yield gauge


COLLECTOR = CollectorSpec("processes", create, default_enabled=False)
