from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.node.hardware import tracefs
from exporters.node.hardware.perf_events import TRACEPOINT, Event
from exporters.node.hardware.tracefs import Tracepoint
from exporters.toolkit.errors import StartError


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host with a tracefs of two tracepoints."""
    folder = tmp_path / "tracing"
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/vda / ext4 rw 0 0\n"
        f"tracefs {folder} tracefs rw,nosuid 0 0\n"
        "tracefs /elsewhere tracefs rw 0 0\n"
    )
    for name, number in {"sched/sched_switch": "316", "net/netif_rx": "1210"}.items():
        (folder / "events" / name).mkdir(parents=True)
        (folder / "events" / name / "id").write_text(f"{number}\n")
    monkeypatch.setattr(tracefs, "_MOUNTS", str(mounts))
    return folder


def test_tracepoints_are_found_by_their_number(host: Path) -> None:
    wanted = ("net:netif_rx", "sched:sched_switch", "net:netif_rx")
    assert tracefs.find(wanted) == [
        (Tracepoint("net", "netif_rx"), Event(TRACEPOINT, 1210)),
        (Tracepoint("sched", "sched_switch"), Event(TRACEPOINT, 316)),
    ]


def test_a_tracepoint_that_is_not_there_is_named(host: Path) -> None:
    with pytest.raises(StartError, match=r"tracepoint config for sched:nope: .*sched"):
        tracefs.find(("sched:nope",))


def test_a_number_that_is_none_is_refused(host: Path) -> None:
    (host / "events/sched/sched_switch/id").write_text("many\n")
    with pytest.raises(StartError, match="expected an unsigned integer"):
        tracefs.find(("sched:sched_switch",))


@pytest.mark.parametrize(
    "text", ["", "sched", "a:b:c", ":b", "a:", "../x:y", "a:b-c", "a:b "]
)
def test_what_is_no_tracepoint_is_refused(text: str) -> None:
    with pytest.raises(StartError, match=r"^invalid tracepoint config "):
        tracefs.parse(text)


def test_no_tracefs_is_an_error() -> None:
    with pytest.raises(StartError, match=r"^Mount for tracefs not mounted$"):
        tracefs.parse_mounts(b"/dev/vda / ext4 rw 0 0\ntracefs\n")


def test_no_mounts_is_an_error(
    host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracefs, "_MOUNTS", str(tmp_path / "none"))
    with pytest.raises(StartError, match="Failed to get tracefs mount"):
        tracefs.find(("sched:sched_switch",))


@given(mounts=st.binary(max_size=200))
def test_noise_raises_only_start_error(mounts: bytes) -> None:
    with pytest.raises(StartError):
        tracefs.parse_mounts(mounts)
