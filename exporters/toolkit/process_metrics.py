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
import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from .metric import CounterMetricFamily, GaugeMetricFamily, Metric


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
        self._descriptors = f"{root}/fd"
        self._boot = _BootTime(boot)
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")
        self._ticks_per_second = os.sysconf("SC_CLK_TCK")

    def collect(self) -> Iterator[Metric]:
        """Yield the families as they are now."""
        text = self._stat.read()
        if text is not None:
            yield from self._used(parse_stat(text))
            yield from _limits()
        yield from self._open_descriptors()
        octets = parse_octets(self._netstat.read())
        if octets is not None:
            yield from _network(*octets)

    def _used(self, stat: Stat) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "process_cpu_seconds",
            "Total user and system CPU time spent in seconds.",
            stat.cpu_ticks / self._ticks_per_second,
        )
        yield GaugeMetricFamily(
            "process_virtual_memory_bytes",
            "Virtual memory size in bytes.",
            stat.virtual_bytes,
        )
        yield GaugeMetricFamily(
            "process_resident_memory_bytes",
            "Resident memory size in bytes.",
            stat.resident_pages * self._page_bytes,
        )
        booted = self._boot.seconds()
        if booted is not None:
            yield GaugeMetricFamily(
                "process_start_time_seconds",
                "Start time of the process since unix epoch in seconds.",
                booted + stat.start_ticks / self._ticks_per_second,
            )

    def _open_descriptors(self) -> Iterator[Metric]:
        try:
            # Linux 6.2 and later count them for the folder's size.
            size = os.stat(self._descriptors).st_size
            number = size or len(os.listdir(self._descriptors))
        except OSError:
            return
        yield GaugeMetricFamily(
            "process_open_fds", "Number of open file descriptors.", number
        )


def _limits() -> Iterator[Metric]:
    import resource  # noqa: PLC0415 -- there is none on Windows

    for limit, name, about in (
        (
            resource.RLIMIT_NOFILE,
            "process_max_fds",
            "Maximum number of open file descriptors.",
        ),
        (
            resource.RLIMIT_AS,
            "process_virtual_memory_max_bytes",
            "Maximum amount of virtual memory available in bytes.",
        ),
    ):
        soft = resource.getrlimit(limit)[0]
        unlimited = soft == resource.RLIM_INFINITY
        yield GaugeMetricFamily(name, about, _UNLIMITED if unlimited else soft)


def _network(received: int, sent: int) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "process_network_receive_bytes",
        "Number of bytes received by the process over the network.",
        received,
    )
    yield CounterMetricFamily(
        "process_network_transmit_bytes",
        "Number of bytes sent by the process over the network.",
        sent,
    )


class _KeptFile:
    """A file of procfs that is opened once: opening takes longer than reading."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None

    def read(self) -> bytes | None:
        """Return what is in the file now, None if it cannot be read."""
        try:
            if self._descriptor is None:
                self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            return os.pread(self._descriptor, _LARGEST, 0)
        except OSError:
            return None


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
    lines = [line.split() for line in data.split(b"\n") if line.startswith(b"IpExt:")]
    if len(lines) != 2:
        return 0, 0
    values = dict(zip(lines[0], lines[1], strict=False))
    return int(values.get(b"InOctets", 0)), int(values.get(b"OutOctets", 0))
