from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, strategies as st

from exporters.node import procfs
from exporters.node.collectors import arp
from exporters.node.network import rtnetlink
from exporters.node.network.rtnetlink import Neighbour
from tests.node.conftest import FIXTURES, Run


DATA = (FIXTURES / "proc/net/arp").read_bytes()


def test_parse_counts_by_device() -> None:
    assert arp.parse(DATA) == {"eth0": 2, "br-lan": 1}


def test_parse_refuses_other_columns() -> None:
    with pytest.raises(ValueError, match="net/arp:5: 3 columns found, but expected 6"):
        arp.parse(DATA + b"1 2 3\n")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ((), {"eth0": 2, "br-lan": 1}),
        (("--collector.arp.device-exclude=^br",), {"eth0": 2}),
        (("--collector.arp.device-include=^br",), {"br-lan": 1}),
        (
            ("--collector.arp.device-include=^br", "--collector.arp.device-exclude=l"),
            None,
        ),
    ],
)
def test_filters(
    flags: tuple[str, ...], expected: dict[str, int] | None, run: Run
) -> None:
    families = run(arp.COLLECTOR, "--no-collector.arp.netlink", *flags)
    if expected is None:
        assert families == []
        return
    (family,) = families
    assert family.documentation == "ARP entries by device"
    assert {s.labels["device"]: s.value for s in family.samples} == expected


def test_netlink_leaves_out_what_needs_no_arp(monkeypatch: pytest.MonkeyPatch) -> None:
    table = [
        Neighbour(1, 0x40),
        Neighbour(1, 2),
        Neighbour(1, 0),
        Neighbour(2**31 - 1, 2),
    ]
    monkeypatch.setattr(rtnetlink, "read_arp_table", lambda: table)
    assert list(arp.read_netlink().values()) == [2]


def test_netlink_and_proc_agree_on_this_host() -> None:
    """Devices come and go with containers: one of a few looks has to agree."""
    looks = (
        (arp.read_netlink(), arp.parse(procfs.read("/proc/net/arp"))) for _ in "12345"
    )
    assert any(set(ours) == set(theirs) for ours, theirs in looks)


@given(st.binary(max_size=200))
def test_rubbish_raises_only_value_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        arp.parse(data)
