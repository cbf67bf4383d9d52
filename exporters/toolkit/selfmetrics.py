"""Metrics about the program itself: build_info, process_*, promhttp_*.

Names and HELP texts are client_golang's, so dashboards about exporters keep
working. ``go_*`` families are left out: they describe Go's runtime, which is not
here, and a made-up number is worse than none.
Upstream counterparts: client_golang ``process_collector.go``,
``promhttp/http.go`` and ``collectors/version``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from . import version
from .metric import CounterMetricFamily, GaugeMetricFamily, Metric


# What Go makes of RLIM_INFINITY: the largest uint64 as a float.
_UNLIMITED = float(2**64 - 1)


def build_info(program: str) -> Metric:
    """Return ``<program>_build_info``, always 1, with upstream's labels."""
    labels = version.labels()
    family = GaugeMetricFamily(
        f"{program}_build_info",
        "A metric with a constant '1' value labeled by version, revision, branch, "
        f"goversion from which {program} was built, and the goos and goarch for the "
        "build.",
        labels=list(labels),
    )
    family.add_metric(list(labels.values()), 1)
    return family


class HandlerMetrics:
    """Count what the /metrics handler does (``promhttp_metric_handler_*``)."""

    def __init__(self) -> None:
        # Upstream creates these three at start, others when they first happen.
        self._requests = {200: 0, 500: 0, 503: 0}
        self._errors = {"encoding": 0, "gathering": 0}
        self._created = time.time()
        self._first: dict[int, float] = {}
        self.in_flight = 0

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count one request as being served."""
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1

    def count(self, status: int) -> None:
        """Count one request answered with *status*."""
        if status not in self._requests:
            self._first[status] = time.time()
        self._requests[status] = self._requests.get(status, 0) + 1

    def count_error(self, cause: str) -> None:
        """Count one scrape with an error; *cause* is ``gathering`` or ``encoding``."""
        self._errors[cause] += 1

    def collect(self) -> Iterator[Metric]:
        """Return the families; the request being served is not yet counted."""
        requests = CounterMetricFamily(
            "promhttp_metric_handler_requests",
            "Total number of scrapes by HTTP status code.",
            labels=["code"],
        )
        for status, number in self._requests.items():
            created = self._first.get(status, self._created)
            requests.add_metric([str(status)], number, created)
        errors = CounterMetricFamily(
            "promhttp_metric_handler_errors",
            "Total number of internal errors encountered by the promhttp metric "
            "handler.",
            labels=["cause"],
        )
        for cause, number in self._errors.items():
            errors.add_metric([cause], number, self._created)
        yield requests
        yield errors
        yield GaugeMetricFamily(
            "promhttp_metric_handler_requests_in_flight",
            "Current number of scrapes being served.",
            self.in_flight,
        )


class Stat(NamedTuple):
    """The fields of /proc/<pid>/stat used here, in ticks and pages."""

    cpu_ticks: int
    start_ticks: int
    virtual_bytes: int
    resident_pages: int


def process(root: str = "/proc/self", boot: str = "/proc/stat") -> Iterator[Metric]:
    """Return the ``process_*`` families read below *root*.

    What cannot be read is left out, as upstream does; off Linux that is all of it.
    """
    page_size = os.sysconf("SC_PAGE_SIZE")
    ticks_per_second = os.sysconf("SC_CLK_TCK")
    stat_text = _read(f"{root}/stat")
    if stat_text is not None:
        stat = parse_stat(stat_text)
        yield _counter(
            "process_cpu_seconds",
            "Total user and system CPU time spent in seconds.",
            stat.cpu_ticks / ticks_per_second,
        )
        yield GaugeMetricFamily(
            "process_virtual_memory_bytes",
            "Virtual memory size in bytes.",
            stat.virtual_bytes,
        )
        yield GaugeMetricFamily(
            "process_resident_memory_bytes",
            "Resident memory size in bytes.",
            stat.resident_pages * page_size,
        )
        boot_time = parse_boot_time(_read(boot) or b"")
        if boot_time is not None:
            yield GaugeMetricFamily(
                "process_start_time_seconds",
                "Start time of the process since unix epoch in seconds.",
                boot_time + stat.start_ticks / ticks_per_second,
            )
    yield from _descriptors(root)
    yield from _network(root)


def _descriptors(root: str) -> Iterator[Metric]:
    try:
        open_descriptors = len(os.listdir(f"{root}/fd"))
    except OSError:
        pass
    else:
        yield GaugeMetricFamily(
            "process_open_fds",
            "Number of open file descriptors.",
            open_descriptors,
        )
    limits = parse_limits(_read(f"{root}/limits") or b"")
    for title, name, about in (
        (
            "Max open files",
            "process_max_fds",
            "Maximum number of open file descriptors.",
        ),
        (
            "Max address space",
            "process_virtual_memory_max_bytes",
            "Maximum amount of virtual memory available in bytes.",
        ),
    ):
        if title in limits:
            yield GaugeMetricFamily(name, about, limits[title])


def _network(root: str) -> Iterator[Metric]:
    octets = parse_octets(_read(f"{root}/net/netstat"))
    if octets is not None:
        yield _counter(
            "process_network_receive_bytes",
            "Number of bytes received by the process over the network.",
            octets[0],
        )
        yield _counter(
            "process_network_transmit_bytes",
            "Number of bytes sent by the process over the network.",
            octets[1],
        )


def _counter(name: str, about: str, value: float) -> Metric:
    return CounterMetricFamily(name, about, value)


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


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


def parse_limits(data: bytes) -> dict[str, float]:
    """Return the soft limits of /proc/<pid>/limits by their title."""
    limits = {}
    for line in data.decode("ascii", "replace").split("\n")[1:]:
        # "Max open files            1024                 524288               files"
        title, soft = line[:26].strip(), line[26:47].strip()
        if soft == "unlimited":
            limits[title] = _UNLIMITED
        elif soft.isdecimal():
            limits[title] = float(soft)
    return limits


def parse_octets(data: bytes | None) -> tuple[int, int] | None:
    """Return InOctets and OutOctets of a net/netstat file; a missing one is 0."""
    if data is None:
        return None
    lines = [line.split() for line in data.split(b"\n") if line.startswith(b"IpExt:")]
    if len(lines) != 2:
        return 0, 0
    values = dict(zip(lines[0], lines[1], strict=False))
    return int(values.get(b"InOctets", 0)), int(values.get(b"OutOctets", 0))
