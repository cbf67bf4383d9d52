from __future__ import annotations

import errno
import logging
import resource
from collections.abc import Sequence

import pytest

from exporters.node.hardware import perf_counters, perf_events
from exporters.node.hardware.perf_counters import Counters
from exporters.node.hardware.perf_events import TRACEPOINT, Event
from exporters.node.hardware.perf_profilers import PROFILERS
from exporters.node.hardware.tracefs import Tracepoint
from exporters.toolkit.errors import StartError


class Kernel:
    """Stands for the kernel of a virtual machine: it counts software only."""

    def __init__(self) -> None:
        self.values: dict[int, int | None] = {}
        self.groups: dict[int, tuple[int, ...]] = {}
        self.closed: list[int] = []
        self.offline: set[int] = set()

    def open_counter(self, event: Event, cpu: int) -> int:
        if event.type != perf_events.SOFTWARE:
            raise OSError(errno.ENOENT, "No such file or directory")
        descriptor = 100 * (cpu + 1) + event.config
        self.values[descriptor] = 7 * descriptor
        return descriptor

    def open_group(self, events: Sequence[Event], cpu: int) -> list[int]:
        if cpu in self.offline:
            raise OSError(errno.ENODEV, "No such device")
        first = 1000 * (cpu + 1)
        self.groups[first] = tuple(event.config + cpu for event in events)
        return [first + number for number in range(len(events))]

    def read_counter(self, descriptor: int) -> int | None:
        return self.values[descriptor]

    def read_group(self, descriptor: int, count: int) -> tuple[int, ...]:
        assert count == 2
        return self.groups[descriptor]

    def close(self, descriptors: Sequence[int]) -> None:
        self.closed.extend(descriptors)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel()
    for name in ("open_counter", "open_group", "read_counter", "read_group", "close"):
        monkeypatch.setattr(perf_events, name, getattr(kernel, name))
    return kernel


def samples(counters: Counters) -> dict[tuple[str, str], float]:
    return {
        (sample.name, sample.labels["cpu"]): sample.value
        for family in counters.read()
        for sample in family.samples
    }


def test_what_is_counted_is_read(kernel: Kernel) -> None:
    counters = Counters()
    counters.add_profilers("software", PROFILERS["software"][:2], [0, 3])
    assert samples(counters) == {
        ("node_perf_page_faults_total", "0"): 714,
        ("node_perf_context_switches_total", "0"): 721,
        ("node_perf_page_faults_total", "3"): 2814,
        ("node_perf_context_switches_total", "3"): 2821,
    }
    assert {family.type for family in counters.read()} == {"counter"}


def test_what_the_host_does_not_count_is_one_line_in_the_log(
    kernel: Kernel, caplog: pytest.LogCaptureFixture
) -> None:
    counters = Counters()
    with caplog.at_level(logging.WARNING):
        counters.add_profilers("hardware", PROFILERS["hardware"], [0, 1])
    assert samples(counters) == {}
    (record,) = caplog.records
    fields = vars(record)["fields"]
    assert (fields["kind"], fields["refused"], fields["wanted"]) == ("hardware", 18, 18)


def test_a_cpu_that_went_away_is_left_out_and_not_0(kernel: Kernel) -> None:
    counters = Counters()
    counters.add_profilers("software", PROFILERS["software"][:1], [0, 1])
    kernel.values[102] = None
    assert samples(counters) == {("node_perf_page_faults_total", "1"): 1414}


TRACEPOINTS = [
    (Tracepoint("sched", "sched_switch"), Event(TRACEPOINT, 316)),
    (Tracepoint("net", "netif_rx"), Event(TRACEPOINT, 1210)),
]


def test_tracepoints_have_their_names(kernel: Kernel) -> None:
    counters = Counters()
    counters.add_tracepoints(TRACEPOINTS, [0, 1])
    assert samples(counters) == {
        ("node_perf_sched_sched_switch", "0"): 316,
        ("node_perf_net_netif_rx", "0"): 1210,
        ("node_perf_sched_sched_switch", "1"): 317,
        ("node_perf_net_netif_rx", "1"): 1211,
    }
    helps = {family.documentation for family in counters.read()}
    assert helps == {
        "Perf tracepoint sched:sched_switch",
        "Perf tracepoint net:netif_rx",
    }


def test_a_tracepoint_that_is_refused_ends_the_start_and_all_counting(
    kernel: Kernel,
) -> None:
    kernel.offline = {1}
    with pytest.raises(StartError, match=r"cpu 1: .*No such device"):
        Counters().add_tracepoints(TRACEPOINTS, [0, 1])
    assert kernel.closed == [1000, 1001]


def test_everything_is_closed_once(kernel: Kernel) -> None:
    counters = Counters()
    counters.add_profilers("software", PROFILERS["software"][:1], [0])
    counters.add_tracepoints(TRACEPOINTS, [0])
    counters.close()
    counters.close()
    assert kernel.closed == [102, 1000, 1001]
    assert samples(counters) == {}


@pytest.mark.parametrize(
    ("soft", "hard", "is_raised"),
    [
        (1024, 524_288, True),
        (1024, 1024, False),
        (65_536, 65_536, False),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, False),
        (1024, resource.RLIM_INFINITY, True),
    ],
)
def test_the_limit_of_descriptors_is_raised_where_it_is_too_low(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, is_raised: bool
) -> None:
    limits: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: limits.append(both))
    perf_counters.allow_descriptors(30 * 64)
    assert bool(limits) is is_raised
    for new, ceiling in limits:
        assert 30 * 64 + 512 < new < 4096
        assert ceiling == hard
