from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jeepney import HeaderFields, Message  # type: ignore[import-untyped]

from exporters.node.calls import run as run_once
from exporters.node.collectors import systemd
from exporters.node.paths import Paths
from exporters.node.registry import Collect, Context
from exporters.node.services import systemd as asking
from exporters.toolkit.errors import StartError
from exporters.toolkit.exposition import encode
from exporters.toolkit.flags import Program
from tests.node.services.dbus_peer import (
    Handle,
    Peer,
    Replies,
    Send,
    answering,
    listening,
)


MANAGER = "/org/freedesktop/systemd1"
BOOTED = 1_795_670_000_123_456  # µs since 1970
UNLIMITED = 2**64 - 1


def row(name: str, active: str = "active", load: str = "loaded") -> tuple[Any, ...]:
    path = unit_path(name)
    return (name, "About it", load, active, "sub", "", path, 0, "", "/")


def unit_path(name: str) -> str:
    return f"{MANAGER}/unit/{name.replace('.', '_2e').replace('-', '_2d')}"


ROWS = [
    row("api.service"),
    row("backup.service", "failed"),
    row("backup.timer"),
    row("data.mount"),
    row("gone.service", "inactive", "not-found"),
    row("mail.socket"),
    row("multi-user.target"),
    row("vanished.service", "reloading"),
]

REPLIES: Replies = {
    (MANAGER, "Manager.Version"): ("s", ("252.39-1~deb12u2",)),
    (MANAGER, "Manager.Virtualization"): ("s", ("kvm",)),
    (MANAGER, "Manager.SystemState"): ("s", ("running",)),
    (MANAGER, "ListUnits"): ("a(ssssssouso)", (ROWS,)),
    (unit_path("api.service"), "Service.Type"): ("s", ("notify",)),
    (unit_path("api.service"), "Service.NRestarts"): ("u", (3,)),
    (unit_path("api.service"), "Service.TasksCurrent"): ("t", (21,)),
    (unit_path("api.service"), "Service.TasksMax"): ("t", (4915,)),
    (unit_path("api.service"), "Unit.ActiveEnterTimestamp"): ("t", (BOOTED,)),
    (unit_path("backup.service"), "Service.Type"): ("s", ("oneshot",)),
    (unit_path("backup.service"), "Service.NRestarts"): ("u", (0,)),
    (unit_path("backup.service"), "Service.TasksCurrent"): ("t", (UNLIMITED,)),
    (unit_path("backup.service"), "Service.TasksMax"): ("t", (UNLIMITED,)),
    (unit_path("backup.timer"), "Timer.LastTriggerUSec"): ("t", (BOOTED + 5,)),
    (unit_path("backup.timer"), "Unit.ActiveEnterTimestamp"): ("t", (BOOTED,)),
    (unit_path("data.mount"), "Mount.Type"): ("s", ("ext4",)),
    (unit_path("data.mount"), "Unit.ActiveEnterTimestamp"): ("t", (BOOTED,)),
    (unit_path("mail.socket"), "Socket.NAccepted"): ("u", (128,)),
    (unit_path("mail.socket"), "Socket.NConnections"): ("u", (2,)),
    (unit_path("mail.socket"), "Socket.NRefused"): ("u", (1,)),
    (unit_path("mail.socket"), "Unit.ActiveEnterTimestamp"): ("t", (BOOTED,)),
    (unit_path("multi-user.target"), "Unit.ActiveEnterTimestamp"): ("t", (BOOTED,)),
}

Start = Callable[..., Peer]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a system bus with a systemd on it; there is no private socket."""
    bus = tmp_path / "bus"
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={bus}")
    monkeypatch.setattr(asking, "_PRIVATE_SOCKET", str(tmp_path / "private"))
    running = []

    def begin(handle: Handle | None, path: Path = bus) -> Peer:
        running.append(listening(path, handle))
        return running[-1].__enter__()

    yield begin
    for context in running:
        context.__exit__(None, None, None)


def collector(*argv: str) -> Collect:
    spec = systemd.COLLECTOR
    program = Program("node_exporter", "", (spec.switch, *spec.flags))
    return spec.create(Context(Paths(), program.parse(argv, {})))


def exposition(*argv: str) -> list[str]:
    text = encode(collector(*argv)(), pytest.fail).decode()
    return [line for line in text.splitlines() if not line.startswith("#")]


def state(name: str, kind: str, active: str) -> list[str]:
    states = ("activating", "active", "deactivating", "failed", "inactive")
    return [
        f'node_systemd_unit_state{{name="{name}",state="{one}",type="{kind}"}}'
        f" {int(one == active)}"
        for one in states
    ]


def test_what_is_said_by_default(start: Start) -> None:
    start(answering(REPLIES))
    assert exposition() == [
        'node_systemd_socket_accepted_connections_total{name="mail.socket"} 128',
        'node_systemd_socket_current_connections{name="mail.socket"} 2',
        'node_systemd_socket_refused_connections_total{name="mail.socket"} 1',
        "node_systemd_system_running 1",
        (
            'node_systemd_timer_last_trigger_seconds{name="backup.timer"}'
            " 1.795670000123461e+09"
        ),
        *state("api.service", "notify", "active"),
        *state("backup.service", "oneshot", "failed"),
        *state("backup.timer", "", "active"),
        *state("mail.socket", "", "active"),
        *state("multi-user.target", "", "active"),
        *state("vanished.service", "", "reloading"),
        'node_systemd_units{state="activating"} 0',
        'node_systemd_units{state="active"} 5',
        'node_systemd_units{state="deactivating"} 0',
        'node_systemd_units{state="failed"} 1',
        'node_systemd_units{state="inactive"} 1',
        'node_systemd_units{state="reloading"} 1',
        'node_systemd_version{version="252.39-1~deb12u2"} 252.39',
        'node_systemd_virtualization_info{virtualization_type="kvm"} 1',
    ]


def test_what_the_flags_add(start: Start) -> None:
    start(answering(REPLIES))
    before = set(exposition())
    after = exposition(
        "--collector.systemd.enable-task-metrics",
        "--collector.systemd.enable-restarts-metrics",
        "--collector.systemd.enable-start-time-metrics",
    )
    started = [
        f'node_systemd_unit_start_time_seconds{{name="{name}"}} {seconds}'
        for name, seconds in (
            ("api.service", "1.795670000123456e+09"),
            ("backup.service", "0"),
            ("backup.timer", "1.795670000123456e+09"),
            ("mail.socket", "1.795670000123456e+09"),
            ("multi-user.target", "1.795670000123456e+09"),
            ("vanished.service", "0"),
        )
    ]
    assert [line for line in after if line not in before] == [
        'node_systemd_service_restart_total{name="api.service"} 3',
        'node_systemd_service_restart_total{name="backup.service"} 0',
        *started,
        'node_systemd_unit_tasks_current{name="api.service"} 21',
        'node_systemd_unit_tasks_max{name="api.service"} 4915',
    ]


def test_types_are_those_of_upstream(start: Start) -> None:
    start(answering(REPLIES))
    found = collector("--collector.systemd.enable-restarts-metrics")()
    counters = {family.name for family in found if family.type == "counter"}
    assert counters == {
        "node_systemd_service_restart_total",
        "node_systemd_socket_accepted_connections_total",
    }


@pytest.mark.parametrize(
    ("argv", "names"),
    [
        (["--collector.systemd.unit-include=data.*|api"], []),
        (["--collector.systemd.unit-include=api.*"], ["api.service"]),
        (["--collector.systemd.unit-whitelist=api.*"], ["api.service"]),
        (["--collector.systemd.unit-include=gone.*"], []),
        (
            [
                "--collector.systemd.unit-include=.*a.*",
                "--collector.systemd.unit-exclude=.*[.]service",
            ],
            ["backup.timer", "data.mount", "mail.socket", "multi-user.target"],
        ),
        (
            [
                "--collector.systemd.unit-include=data.*",
                "--collector.systemd.unit-blacklist=mount",
            ],
            ["data.mount"],
        ),
    ],
)
def test_patterns_match_whole_names_of_loaded_units(
    start: Start, argv: list[str], names: list[str]
) -> None:
    start(answering(REPLIES))
    states = [line for line in exposition(*argv) if "unit_state" in line]
    assert [line.split('"')[1] for line in states[::5]] == names


def test_a_mount_shows_its_file_system(start: Start) -> None:
    start(answering(REPLIES))
    lines = exposition("--collector.systemd.unit-exclude=")
    assert set(state("data.mount", "ext4", "active")) < set(lines)


def test_everything_is_asked_in_two_rounds(start: Start) -> None:
    peer = start(answering(REPLIES))
    exposition("--collector.systemd.unit-include=(api|backup|mail).*")
    assert peer.names() == [
        "Hello",
        "Get Version",
        "Get Virtualization",
        "Get SystemState",
        "ListUnits",
        "Get Type",
        "Get Type",
        "Get LastTriggerUSec",
        "Get NAccepted",
        "Get NConnections",
        "Get NRefused",
    ]
    assert len(peer.connections) == 1


def without(*names: str) -> Replies:
    return {key: reply for key, reply in REPLIES.items() if key[1] not in names}


def test_a_systemd_that_tells_nothing_of_itself(start: Start) -> None:
    start(answering(without("Manager.Version", "Manager.Virtualization")))
    lines = exposition()
    assert 'node_systemd_version{version=""} 0' in lines
    assert 'node_systemd_virtualization_info{virtualization_type="unknown"} 1' in lines
    # Too old, as far as anyone can tell, for these two.
    assert not [line for line in lines if "timer" in line and "trigger" in line]
    assert not [line for line in lines if "running" in line]


@pytest.mark.parametrize(
    ("told", "shown"), [("", "none"), ("microsoft", "microsoft"), ('"', "none")]
)
def test_virtualization(start: Start, told: str, shown: str) -> None:
    key = (MANAGER, "Manager.Virtualization")
    start(answering({**REPLIES, key: ("s", (told,))}))
    label = f'virtualization_type="{shown}"'
    assert f"node_systemd_virtualization_info{{{label}}} 1" in exposition()


def test_a_degraded_system_is_not_running(start: Start) -> None:
    key = (MANAGER, "Manager.SystemState")
    start(answering({**REPLIES, key: ("s", ("degraded",))}))
    assert "node_systemd_system_running 0" in exposition()


def test_a_property_of_another_type_is_as_none(start: Start) -> None:
    key = (unit_path("api.service"), "Service.Type")
    start(answering({**REPLIES, key: ("u", (1,))}))
    assert set(state("api.service", "", "active")) < set(exposition())


@pytest.mark.parametrize(
    ("missing", "reason", "kept"),
    [
        ("ListUnits", "couldn't get units: Unknown object", "node_systemd_version"),
        (
            "Manager.SystemState",
            "couldn't get system state: Unknown object",
            "node_systemd_unit_state",
        ),
    ],
)
def test_what_cannot_be_had_is_an_error_that_keeps_the_rest(
    start: Start, missing: str, reason: str, kept: str
) -> None:
    start(answering(without(missing)))
    outcome = run_once(collector())
    assert str(outcome.error).startswith(reason)
    assert kept in {family.name for family in outcome.metrics}


def silent_after(count: int) -> Handle:
    """Answer the first *count* calls and then none."""
    answer = answering(REPLIES)
    seen: list[Message] = []

    def handle(call: Message, send: Send) -> None:
        seen.append(call)
        if len(seen) <= count:
            answer(call, send)

    return handle


def test_a_systemd_that_hangs_costs_this_collector_only_until_the_deadline(
    start: Start,
) -> None:
    start(silent_after(4))  # it does not answer ListUnits
    outcome = run_once(collector(), patience_seconds=1)
    assert isinstance(outcome.error, TimeoutError)
    assert "did not answer within 0.9" in str(outcome.error)
    assert outcome.seconds < 1


def test_units_that_were_told_before_it_hung_are_said(start: Start) -> None:
    rows = [row(f"s{number:03}.service") for number in range(100)]
    replies = {**REPLIES, (MANAGER, "ListUnits"): ("a(ssssssouso)", (rows,))}
    answer = answering(replies)

    def handle(call: Message, send: Send) -> None:
        if "s064" not in call.header.fields[HeaderFields.path]:  # the second batch
            answer(call, send)

    start(handle)
    outcome = run_once(collector(), patience_seconds=1)
    assert isinstance(outcome.error, TimeoutError)
    names = {
        sample.labels["name"]
        for family in outcome.metrics
        if family.name == "node_systemd_unit_state"
        for sample in family.samples
    }
    assert names == {f"s{number:03}.service" for number in range(64)}


def test_root_asks_systemd_itself_where_there_is_no_bus(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    private = start(answering(REPLIES), tmp_path / "private")
    assert "node_systemd_system_running 1" in exposition()
    assert "Hello" not in private.names()  # it is no bus


def test_root_asks_systemd_itself_where_the_bus_lets_nobody_in(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    start(None)
    start(answering(REPLIES), tmp_path / "private")
    outcome = run_once(collector(), patience_seconds=2)
    assert outcome.error is None


def test_where_neither_way_leads_to_systemd_both_are_named(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    start(None)
    outcome = run_once(collector(), patience_seconds=0.4)
    assert isinstance(outcome.error, TimeoutError)
    assert re.fullmatch(
        f"couldn't get dbus connection: dbus: {tmp_path}/bus did not answer within"
        rf" 0\.\d+ s; dial unix {tmp_path}/private: connect: no such file or directory",
        str(outcome.error),
    )


def test_others_do_not(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = start(answering(REPLIES), tmp_path / "private")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    outcome = run_once(collector())
    assert str(outcome.error) == (
        f"couldn't get dbus connection: dial unix {tmp_path}/bus: connect:"
        " no such file or directory"
    )
    assert not private.connections


def test_the_bus_is_left_alone_on_request(start: Start, tmp_path: Path) -> None:
    bus = start(answering(REPLIES))
    start(answering(REPLIES), tmp_path / "private")
    assert exposition("--collector.systemd.private")
    assert not bus.connections


@pytest.mark.parametrize("kind", ["include", "exclude"])
def test_flags_that_cannot_be(kind: str) -> None:
    old = {"include": "whitelist", "exclude": "blacklist"}[kind]
    with pytest.raises(StartError, match=r"error parsing regexp: .*`\^\(\?:\(\)\$`"):
        collector(f"--collector.systemd.unit-{kind}=(")
    with pytest.raises(StartError) as raised:
        collector(
            f"--collector.systemd.unit-{kind}=a", f"--collector.systemd.unit-{old}=b"
        )
    assert str(raised.value) == (
        f"--collector.systemd.unit-{old} and --collector.systemd.unit-{kind}"
        " are mutually exclusive"
    )
