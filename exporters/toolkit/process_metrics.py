"""Metrics about the process itself: CPU, memory, descriptors, octets.

Names and HELP texts are client_golang's. Its files stay open from one scrape to the
next, and what a system call or the descriptor's size says is not parsed: 0.31 ms of
CPU became 0.09, of which the kernel takes 0.06 to add up ``net/netstat``. Nothing
cheaper knows those octets: devices count others, netlink has none for IPv4.
Upstream counterpart: client_golang ``process_collector.go``.
"""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Iterable
from typing import Final, NamedTuple

from .metric import CounterMetricFamily, GaugeMetricFamily, Metric


if sys.platform != "win32":  # where there is nothing to read
    import resource


# What Go makes of RLIM_INFINITY: the largest uint64 as a float.
_UNLIMITED: Final = float(2**64 - 1)
# More than any of the files has; they are read in one piece.
_LARGEST: Final = 1 << 16
# The clock was set if it moved by more than this beside the one that cannot be set:
# less is the time between two calls. Slewing moves both.
_CLOCK_SET_SECONDS: Final = 0.001


class Stat(NamedTuple):
    """The fields of /proc/<pid>/stat used here, in ticks and pages."""

    cpu_ticks: int
    start_ticks: int
    virtual_bytes: int
    resident_pages: int


@functools.cache
def own() -> Process:
    """Return the metrics of this process."""
    return Process()


class Process:
    """The ``process_*`` families.

    What cannot be read is left out, as upstream does; off Linux that is all of it.
    """

    def __init__(self, root: str = "/proc/self", boot: str = "/proc/stat") -> None:
        """Read below *root*, and when the host was booted from *boot*."""
        self._stat = _KeptFile(f"{root}/stat")
        self._netstat = _KeptFile(f"{root}/net/netstat")
        self._descriptors = _KeptFile(f"{root}/fd")
        self._boot = _BootTime(boot)
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")
        self._ticks_per_second = os.sysconf("SC_CLK_TCK")
        self._families = _Families()

    def collect(self) -> list[Metric]:
        """Return the families as they are now: the same objects at each call.

        To make them anew took 10 us. They are to be printed before the next call.
        """
        found: list[Metric] = []
        text = self._stat.read()
        if text is not None:
            found += self._used(parse_stat(text))
            found += self._limits()
        found += self._open_descriptors()
        octets = parse_octets(self._netstat.read())
        if octets is not None:
            families = self._families
            families.received.values = [octets[0]]
            families.sent.values = [octets[1]]
            found += (families.received, families.sent)
        return found

    def _used(self, stat: Stat) -> Iterable[Metric]:
        families, ticks = self._families, self._ticks_per_second
        families.cpu.values = [stat.cpu_ticks / ticks]
        families.virtual.values = [stat.virtual_bytes]
        families.resident.values = [stat.resident_pages * self._page_bytes]
        booted = self._boot.seconds()
        if booted is None:
            return families.cpu, families.virtual, families.resident
        families.start.values = [booted + stat.start_ticks / ticks]
        return families.cpu, families.virtual, families.resident, families.start

    def _limits(self) -> Iterable[Metric]:
        families = self._families
        families.most_descriptors.values = [_limit(resource.RLIMIT_NOFILE)]
        families.most_virtual.values = [_limit(resource.RLIMIT_AS)]
        return families.most_descriptors, families.most_virtual

    def _open_descriptors(self) -> Iterable[Metric]:
        try:
            folder = self._descriptors.opened()
            # Linux 6.2 and later count them for the folder's size.
            number = os.stat(folder).st_size or len(os.listdir(folder))
        except OSError:
            return ()
        self._families.descriptors.values = [number]
        return (self._families.descriptors,)


class _Families:
    """The families, whose numbers are still to be set."""

    def __init__(self) -> None:
        self.cpu = CounterMetricFamily(
            "process_cpu_seconds",
            "Total user and system CPU time spent in seconds.",
            0,
        )
        self.virtual = GaugeMetricFamily(
            "process_virtual_memory_bytes", "Virtual memory size in bytes.", 0
        )
        self.resident = GaugeMetricFamily(
            "process_resident_memory_bytes", "Resident memory size in bytes.", 0
        )
        self.start = GaugeMetricFamily(
            "process_start_time_seconds",
            "Start time of the process since unix epoch in seconds.",
            0,
        )
        self.descriptors = GaugeMetricFamily(
            "process_open_fds", "Number of open file descriptors.", 0
        )
        self.most_descriptors = GaugeMetricFamily(
            "process_max_fds", "Maximum number of open file descriptors.", 0
        )
        self.most_virtual = GaugeMetricFamily(
            "process_virtual_memory_max_bytes",
            "Maximum amount of virtual memory available in bytes.",
            0,
        )
        self.received = CounterMetricFamily(
            "process_network_receive_bytes",
            "Number of bytes received by the process over the network.",
            0,
        )
        self.sent = CounterMetricFamily(
            "process_network_transmit_bytes",
            "Number of bytes sent by the process over the network.",
            0,
        )


def _limit(which: int) -> float:
    soft = resource.getrlimit(which)[0]
    return _UNLIMITED if soft == resource.RLIM_INFINITY else soft


class _KeptFile:
    """A file or folder of procfs, opened once: that takes longer than reading."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None

    def read(self) -> bytes | None:
        """Return what is in the file now, None if it cannot be read."""
        try:
            return os.pread(self.opened(), _LARGEST, 0)
        except OSError:
            return None

    def opened(self) -> int:
        """Return its descriptor; raises OSError."""
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        return self._descriptor


class _BootTime:
    """When the host was booted; read again only after the clock was set.

    The file says it last, after a line with a number for each interrupt there is.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._difference = 0.0
        self._seconds: int | None = None

    def seconds(self) -> int | None:
        """Return it in seconds since 1970, None if nothing says it."""
        now = time.time() - time.monotonic()
        if self._seconds is None or abs(now - self._difference) > _CLOCK_SET_SECONDS:
            try:
                with open(self._path, "rb") as file:
                    self._seconds = parse_boot_time(file.read())
            except OSError:
                self._seconds = None
            self._difference = now
        return self._seconds


def parse_stat(data: bytes) -> Stat:
    """Return what is used of /proc/<pid>/stat (proc_pid_stat(5))."""
    # The second field is the program's name in brackets and may hold both.
    fields = data[data.rindex(b")") + 2 :].split()
    return Stat(
        cpu_ticks=int(fields[11]) + int(fields[12]),
        start_ticks=int(fields[19]),
        virtual_bytes=int(fields[20]),
        resident_pages=int(fields[21]),
    )


def parse_boot_time(data: bytes) -> int | None:
    """Return the ``btime`` of /proc/stat in seconds since the epoch."""
    for line in data.split(b"\n"):
        if line.startswith(b"btime "):
            return int(line[6:])
    return None


def parse_octets(data: bytes | None) -> tuple[int, int] | None:
    """Return InOctets and OutOctets of a net/netstat file; a missing one is 0."""
    if data is None:
        return None
    lines = [line for line in data.split(b"\n") if line.startswith(b"IpExt:")]
    if len(lines) != 2:
        return 0, 0
    values = lines[1].split()
    received, sent = _columns(lines[0])
    return _value(values, received), _value(values, sent)


@functools.lru_cache(maxsize=2)
def _columns(head: bytes) -> tuple[int, int]:
    """Return the columns of both: a host's head is always the same."""
    names = head.split()
    return _column(names, b"InOctets"), _column(names, b"OutOctets")


def _column(names: list[bytes], name: bytes) -> int:
    return names.index(name) if name in names else len(names)


def _value(values: list[bytes], column: int) -> int:
    return int(values[column]) if column < len(values) else 0
