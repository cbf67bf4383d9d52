from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.collectors import ipvs
from exporters.node.registry import NoData
from exporters.toolkit.errors import StartError
from tests.node.hosts import collect


STATS = "proc/net/ip_vs_stats: |\n    a\n    b\n    1 2 3 4 5\n"
BACKENDS = (
    "proc/net/ip_vs: |\n"
    "    TCP 0A000001:0050 rr\n"
    "      -> 0A000002:0051 Route 7 1 2\n"
    "      -> 0A000002:0052 Route 8 3 4\n"
)


def test_not_loaded_is_no_data(tmp_path: Path) -> None:
    assert isinstance(collect(ipvs.COLLECTOR, BACKENDS, tmp_path).error, NoData)


def test_totals_stay_without_the_list(tmp_path: Path) -> None:
    seen = collect(ipvs.COLLECTOR, STATS, tmp_path)
    assert list(seen.values.values()) == [1, 2, 3, 4, 5]
    assert isinstance(seen.error, FileNotFoundError)


@pytest.mark.parametrize(
    ("labels", "weights"),
    [
        ("remote_port", {'{remote_port="81"}': 7, '{remote_port="82"}': 8}),
        ("proto,,local_port", {'{local_port="80",proto="TCP"}': 15}),
        ("", {"": 15}),
    ],
)
def test_backends_are_added_up_by_the_labels(
    labels: str, weights: dict[str, float], tmp_path: Path
) -> None:
    flag = f"--collector.ipvs.backend-labels={labels}"
    seen = collect(ipvs.COLLECTOR, STATS + BACKENDS, tmp_path, flag)
    name = "node_ipvs_backend_weight"
    assert {
        key.removeprefix(name): value
        for key, value in seen.values.items()
        if key.startswith(name)
    } == weights


def test_an_unknown_label_stops_the_start() -> None:
    with pytest.raises(StartError) as raised:
        ipvs.parse_labels("proto,port,addr")
    assert str(raised.value) == 'unknown IPVS backend labels: "addr, port"'
