from __future__ import annotations

import gc
import logging
import os

import pytest

from exporters.node.collectors import perf
from exporters.node.hardware import perf_events
from exporters.node.hardware.perf_profilers import PROFILERS, choose
from exporters.node.paths import Paths
from exporters.node.registry import Context
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Program
from tests.node.conftest import Run


@pytest.mark.parametrize(
    ("text", "cpus"),
    [
        ("0", [0]),
        ("3,1", [3, 1]),
        ("2-4", [2, 3, 4]),
        ("1-10:5", [1, 6]),
        ("0-1,1-2,0", [0, 1, 2]),
        ("4-2", []),
        ("0-3:2:9", [0, 1, 2, 3]),
    ],
)
def test_cpus(text: str, cpus: list[int]) -> None:
    assert perf.parse_cpus(text) == cpus


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a", 'strconv.Atoi: parsing "a": invalid syntax'),
        ("", 'strconv.Atoi: parsing "": invalid syntax'),
        ("0,", 'strconv.Atoi: parsing "": invalid syntax'),
        ("-1", 'strconv.Atoi: parsing "": invalid syntax'),
        ("1-", 'strconv.Atoi: parsing "": invalid syntax'),
        ("1-2-3", 'invalid flag value "1-2-3"'),
        ("0,1-2:0", 'invalid flag value "0,1-2:0"'),
        ("0-99999999999", '--collector.perf.cpus: no such CPUs: "0-99999999999"'),
        ("8192", '--collector.perf.cpus: no such CPUs: "8192"'),
    ],
)
def test_what_are_no_cpus_is_refused(text: str, reason: str) -> None:
    with pytest.raises(StartError) as raised:
        perf.parse_cpus(text)
    assert str(raised.value) == reason


@pytest.mark.parametrize(
    ("kind", "count"), [("hardware", 9), ("software", 5), ("cache", 16)]
)
def test_each_kind_has_its_events_once(kind: str, count: int) -> None:
    profilers = PROFILERS[kind]
    for column in (0, 1, 2, 3):
        assert len({profiler[column] for profiler in profilers}) == count


def test_profilers_are_chosen_by_name(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        chosen = choose("cache", ("LLReadMiss", "Nonsense", "LLReadHit"))
    assert [profiler.flag for profiler in chosen] == ["LLReadMiss", "LLReadHit"]
    # kind 3, last level 2, read 0, miss 1 << 16 (perf_event.h)
    assert chosen[0].event == (3, 0x1_0002)
    assert caplog.messages == ["Unknown cache profiler: Nonsense"]


def test_where_no_name_is_known_all_are_taken() -> None:
    assert choose("software", ("Nonsense",)) == PROFILERS["software"]


@pytest.fixture
def allowed() -> None:
    try:
        os.close(perf_events.open_counter(PROFILERS["software"][0].event, 0))
    except PermissionError:
        pytest.skip("perf_event_open(2) is not allowed here")


@pytest.mark.usefixtures("allowed")
def test_software_events_of_this_host(run: Run) -> None:
    found = run(
        perf.COLLECTOR,
        "--collector.perf.cpus=0",
        "--collector.perf.disable-hardware-profilers",
        "--collector.perf.disable-cache-profilers",
        "--collector.perf.software-profilers=ContextSwitch",
        "--collector.perf.software-profilers=MinorFault",
    )
    assert {(one.name, one.samples[0].labels["cpu"]) for one in found} == {
        ("node_perf_context_switches_total", "0"),
        ("node_perf_minor_faults_total", "0"),
    }


@pytest.mark.usefixtures("allowed")
def test_counters_only_grow_and_are_closed_with_the_collector() -> None:
    spec = perf.COLLECTOR
    program = Program("node_exporter", "", (spec.switch, *spec.flags))
    before = os.listdir("/proc/self/fd")
    collect = spec.create(Context(Paths(), program.parse([], {})))
    opened = len(os.listdir("/proc/self/fd"))
    assert opened > len(before)
    rounds = [
        {(s.name, s.labels["cpu"]): s.value for one in collect() for s in one.samples}
        for _ in range(2)
    ]
    assert rounds[0].keys() == rounds[1].keys()
    assert all(rounds[0][key] <= rounds[1][key] for key in rounds[0])
    assert len(os.listdir("/proc/self/fd")) == opened
    del collect
    gc.collect()
    assert os.listdir("/proc/self/fd") == before


def test_no_event_at_all_is_no_failure(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(event: perf_events.Event, cpu: int) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(perf_events, "open_counter", refuse)
    assert run(perf.COLLECTOR) == []
