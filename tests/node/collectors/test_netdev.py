from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given, strategies as st

from exporters.node import procfs
from exporters.node.collectors import netdev
from exporters.node.network import rtnetlink
from exporters.node.network.rtnetlink import Address, Link
from exporters.toolkit.errors import StartError
from tests.node.conftest import FIXTURES, Run


PROC = "--no-collector.netdev.netlink"
DATA = (FIXTURES / "proc/net/dev").read_bytes()
DETAILED = dict(zip(rtnetlink.STATS_FIELDS, range(1, 25), strict=True))


def test_parse() -> None:
    found = netdev.parse(DATA)
    assert list(found) == ["lo", "eth0", "wan"]
    assert found["eth0"]["receive_bytes"] == 721873019
    assert found["eth0"]["transmit_compressed"] == 12
    assert found["wan"]["receive_packets"] == 2**64 - 1


@pytest.mark.parametrize(
    "line", [b"eth0 1 2", b" :1 2 3", b"eth0: 1 2 3", b"eth0:" + b" x" * 16]
)
def test_parse_refuses(line: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        netdev.parse(b"1\n2\n" + line)


@given(st.binary(max_size=200))
def test_rubbish_raises_only_value_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        netdev.parse(b"1\n2\n" + data)


def test_legacy_sums_are_those_of_the_kernels_proc_file() -> None:
    assert netdev.legacy(DETAILED) == {
        "receive_packets": 1,
        "transmit_packets": 2,
        "receive_bytes": 3,
        "transmit_bytes": 4,
        "receive_errs": 5,
        "transmit_errs": 6,
        "receive_drop": 7 + 16,
        "transmit_drop": 8,
        "receive_multicast": 9,
        "transmit_colls": 10,
        "receive_frame": 14 + 11 + 12 + 13,
        "receive_fifo": 15,
        "transmit_carrier": 18 + 17 + 20 + 21,
        "transmit_fifo": 19,
        "receive_compressed": 22,
        "transmit_compressed": 23,
        "receive_nohandler": 24,
    }


def test_legacy_sums_wrap_as_the_kernels_do() -> None:
    stats = {"receive_dropped": 2**64 - 1, "receive_missed_errors": 3}
    assert netdev.legacy(stats) == {"receive_drop": 2}


def test_from_proc(run: Run) -> None:
    families = {f.samples[0].name: f for f in run(netdev.COLLECTOR, PROC)}
    assert len(families) == 16
    drop = families["node_network_receive_drop_total"]
    assert drop.documentation == "Network device statistic receive_drop."
    assert drop.type == "counter"
    assert {s.labels["device"]: s.value for s in drop.samples}["eth0"] == 2
    assert "node_network_receive_nohandler_total" not in families


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ((), {"lo", "eth0", "wan"}),
        (("--collector.netdev.device-exclude=^lo$",), {"eth0", "wan"}),
        (("--collector.netdev.device-blacklist=^lo$",), {"eth0", "wan"}),
        (("--collector.netdev.device-include=^lo$",), {"lo"}),
        (("--collector.netdev.device-whitelist=^lo$",), {"lo"}),
    ],
)
def test_filters(flags: tuple[str, ...], expected: set[str], run: Run) -> None:
    families = run(netdev.COLLECTOR, PROC, *flags)
    assert {s.labels["device"] for f in families for s in f.samples} == expected


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (
            "include",
            "exclude",
            "device-exclude & device-include are mutually exclusive",
        ),
        (
            "include",
            "whitelist",
            (
                "--collector.netdev.device-whitelist and"
                " --collector.netdev.device-include are mutually exclusive"
            ),
        ),
        (
            "exclude",
            "blacklist",
            (
                "--collector.netdev.device-blacklist and"
                " --collector.netdev.device-exclude are mutually exclusive"
            ),
        ),
    ],
)
def test_contradictions(first: str, second: str, reason: str, run: Run) -> None:
    flags = [f"--collector.netdev.device-{name}=a" for name in (first, second)]
    with pytest.raises(StartError, match=reason):
        run(netdev.COLLECTOR, *flags)


def test_detailed_metrics_keep_the_kernels_names(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = [Link("eth0", tuple(range(1, 25))), Link("odd", None)]
    monkeypatch.setattr(rtnetlink, "read_links", lambda: links)
    flag = "--collector.netdev.enable-detailed-metrics"
    families = {f.samples[0].name: f.samples for f in run(netdev.COLLECTOR, flag)}
    assert len(families) == 24
    assert families["node_network_receive_missed_errors_total"][0].value == 16
    assert {s.labels["device"] for rows in families.values() for s in rows} == {"eth0"}


def test_ifalias_becomes_a_label(run: Run) -> None:
    families = run(netdev.COLLECTOR, PROC, "--collector.netdev.label-ifalias")
    assert {(s.labels["device"], s.labels["ifalias"]) for s in families[0].samples} == {
        ("lo", ""),
        ("eth0", "uplink to core"),
        ("wan", ""),
    }


def test_addresses(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [
        Address(1, 8, struct.pack("BBBB", 127, 0, 0, 1)),
        Address(1, 8, struct.pack("BBBB", 127, 0, 0, 1)),  # twice is once
        Address(1, 64, bytes.fromhex("fd" + "00" * 14 + "02")),
        Address(9, 8, b"\1\2\3\4"),  # the interface is gone
    ]
    monkeypatch.setattr(rtnetlink, "read_addresses", lambda: addresses)
    monkeypatch.setattr(rtnetlink, "interface_names", lambda _: {1: "lo"})
    families = run(netdev.COLLECTOR, PROC, "--collector.netdev.address-info")
    (info,) = [f for f in families if f.name == "node_network_address_info"]
    assert [tuple(s.labels.values()) for s in info.samples] == [
        ("lo", "127.0.0.1", "8", "link-local"),
        ("lo", "fd00::2", "64", "global"),
    ]


def test_netlink_and_proc_agree_on_this_host() -> None:
    """Counters that do not move are equal; those that do lie between."""
    before = netdev.parse(procfs.read("/proc/net/dev"))
    ours = {n: netdev.legacy(s) for n, s in netdev.read_netlink().items()}
    after = netdev.parse(procfs.read("/proc/net/dev"))
    assert "lo" in ours
    for device in before.keys() & ours.keys() & after.keys():
        first, last = netdev.legacy(before[device]), netdev.legacy(after[device])
        for key, value in first.items():
            assert value <= ours[device][key] <= last[key], (device, key)
