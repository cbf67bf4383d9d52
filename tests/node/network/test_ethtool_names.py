from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from exporters.node.families import name_part
from exporters.node.network import ethtool_names
from exporters.toolkit.regex import Regex


ALL = Regex(".*")


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("rx_missed", "node_ethtool_received_missed"),
        ("port.rx_dropped", "node_ethtool_port_received_dropped"),
        ("tx", "node_ethtool_transmitted"),
        ("rx_queue_0_xdp_tx", "node_ethtool_received_queue_0_xdp_transmitted"),
        ("rx_rx_rx", "node_ethtool_received_rx_received"),  # as Go replaces
        ("extra_rxq", "node_ethtool_extra_rxq"),
        ("Rx Bytes: ok", "node_ethtool_received_bytes_ok"),
        ("[0]: rx__x", "node_ethtool_0_received__x"),
        ("__a__", "node_ethtool_a__"),
        ("été", "node_ethtool_t_"),
        ("", ""),
        ("--", ""),
    ],
)
def test_names(raw: str, shown: str) -> None:
    assert ethtool_names.metric_name(name_part(raw)) == shown


@given(st.text(max_size=40))
def test_a_name_is_legal_or_nothing(raw: str) -> None:
    shown = ethtool_names.metric_name(name_part(raw))
    assert shown == "" or re.fullmatch("node_ethtool_[a-z0-9][a-z0-9_]*", shown)


def shown(statistics: dict[str, int], wanted: Regex = ALL) -> dict[str, int]:
    found = ethtool_names.named(statistics, wanted, "eth0")
    return {name: value for name, _, value in found}


def test_known_statistics_have_better_names() -> None:
    found = list(ethtool_names.named({"rx_bytes": 7, "rx_missed": 1}, ALL, "eth0"))
    assert found == [
        (
            "node_ethtool_received_bytes_total",
            "Network interface bytes received",
            7,
        ),
        ("node_ethtool_received_missed", "Network interface rx_missed", 1),
    ]


@pytest.mark.parametrize("same", [("a b", "a_b"), ("a b", "a_b", "a.b"), ("A", "a")])
def test_names_that_become_one_are_all_left_out(same: tuple[str, ...]) -> None:
    assert shown({**dict.fromkeys(same, 1), "other": 2}) == {"node_ethtool_other": 2}


def test_the_pattern_is_for_the_sanitized_name() -> None:
    statistics = {"port.rx_bytes": 1, "port.tx_bytes": 2, "Other": 3}
    assert shown(statistics, Regex("^port_rx|^O")) == {
        "node_ethtool_port_received_bytes": 1,
        "node_ethtool_other": 3,
    }


def test_a_name_of_which_nothing_is_left_is_left_out() -> None:
    assert shown({"--": 1, "": 2}) == {}
