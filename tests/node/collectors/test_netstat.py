from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from exporters.node.collectors import netstat
from exporters.node.paths import Paths
from exporters.toolkit.errors import StartError
from tests.node.conftest import Run


def test_parse_joins_the_line_of_names_with_the_line_of_values() -> None:
    data = b"Tcp: RtoMin MaxConn\nTcp: 200 -1\nIpExt: InOctets\nIpExt: 5\n"
    assert [
        dict(zip(netstat.keys(names), values, strict=True))
        for names, values in netstat.parse(data)
    ] == [
        {("Tcp", "RtoMin"): 200.0, ("Tcp", "MaxConn"): -1.0},
        {("IpExt", "InOctets"): 5.0},
    ]


@pytest.mark.parametrize(
    "data", [b"Tcp: A B\nTcp: 1\n", b"Tcp: A\n", b"Tcp: A\nTcp: one\n"]
)
def test_parse_refuses(data: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        netstat.parse(data)


def test_parse_snmp6_splits_after_the_first_six() -> None:
    data = b"Ip6InReceives   \t5\nUdpLite6NoPorts 1\nIcmp6OutType136 2\nOther 3\nIp6\n"
    found = netstat.parse_snmp6(data)
    assert {netstat.key_of_snmp6(word): value for word, value in found.items()} == {
        ("Ip6", "InReceives"): 5.0,
        ("UdpLite6", "NoPorts"): 1.0,
        ("Icmp6", "OutType136"): 2.0,
    }


def test_default_fields_are_upstreams_42(run: Run) -> None:
    metrics = run(netstat.COLLECTOR)
    names = {metric.name for metric in metrics}
    assert len(metrics) == len(names) == 42
    assert {"node_netstat_Tcp_CurrEstab", "node_netstat_Ip6_InOctets"} <= names
    by_name = {metric.name: metric for metric in metrics}
    assert by_name["node_netstat_Tcp_InSegs"].documentation == "Statistic TcpInSegs."


def test_fields_flag_chooses(run: Run) -> None:
    metrics = run(netstat.COLLECTOR, "--collector.netstat.fields=^Udp_InErrors$")
    assert [metric.name for metric in metrics] == ["node_netstat_Udp_InErrors"]


def test_a_bad_pattern_stops_the_start(run: Run) -> None:
    with pytest.raises(StartError, match="missing closing"):
        run(netstat.COLLECTOR, "--collector.netstat.fields=(")


def test_without_ipv6_the_rest_is_there(run: Run, paths: Paths, tmp_path: Path) -> None:
    proc = tmp_path / "proc"
    shutil.copytree(paths.procfs, proc)
    os.unlink(proc / "net/snmp6")
    metrics = run(netstat.COLLECTOR, where=replace(paths, procfs=str(proc)))
    assert metrics
    assert not [metric.name for metric in metrics if "6" in metric.name]
