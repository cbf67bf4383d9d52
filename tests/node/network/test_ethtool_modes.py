from __future__ import annotations

import pytest

from exporters.node.families import Families
from exporters.node.network import ethtool_modes
from exporters.node.network.ethtool import Settings


Rows = dict[str, list[tuple[dict[str, str], float]]]


def rows(supported: int, advertising: int, autonegotiation: int = 0) -> Rows:
    found = Families()
    settings = Settings(supported, advertising, autonegotiation)
    ethtool_modes.add_settings(found, "eth0", settings)
    return {
        family.name.removeprefix("node_network_"): [
            ({k: v for k, v in s.labels.items() if k != "device"}, s.value)
            for s in family.samples
        ]
        for family in found
    }


def test_an_ordinary_link() -> None:
    found = rows(0x22CF, 0x4040, 1)
    assert found["supported_speed_bytes"] == [
        ({"duplex": "half", "mode": "10baseT"}, 1_250_000),
        ({"duplex": "full", "mode": "10baseT"}, 1_250_000),
        ({"duplex": "half", "mode": "100baseT"}, 12_500_000),
        ({"duplex": "full", "mode": "100baseT"}, 12_500_000),
    ]
    assert found["supported_port_info"] == [({"type": "TP"}, 1), ({"type": "MII"}, 1)]
    numbers = {name: r[0][1] for name, r in found.items() if not r[0][0]}
    assert numbers == {
        "autonegotiate_supported": 1,
        "pause_supported": 1,
        "asymmetricpause_supported": 0,
        "autonegotiate_advertised": 1,
        "pause_advertised": 0,
        "asymmetricpause_advertised": 1,
        "autonegotiate": 1,
    }
    assert "advertised_speed_bytes" not in found


@pytest.mark.parametrize(
    ("bit", "mode", "duplex", "speed"),
    [
        (4, "1000baseT", "half", 125e6),
        (5, "1000baseT", "full", 125e6),
        (12, "10000baseT", "full", 1.25e9),
        (17, "1000baseKX", "full", 125e6),
        (18, "10000baseKX4", "full", 1.25e9),
        (19, "10000baseKR", "full", 1.25e9),
        (20, "10000baseR_FEC", "full", 1.25e9),
        (21, "20000baseMLD2", "full", 2.5e9),
        (22, "20000baseKR2", "full", 2.5e9),
        (23, "40000baseKR4", "full", 5e9),
        (26, "40000baseLR4", "full", 5e9),
        (28, "56000baseCR4", "full", 7e9),
        (31, "25000baseCR", "full", 3.125e9),
    ],
)
def test_speeds(bit: int, mode: str, duplex: str, speed: float) -> None:
    found = rows(0, 1 << bit)
    assert found["advertised_speed_bytes"] == [
        ({"duplex": duplex, "mode": mode}, speed)
    ]


@pytest.mark.parametrize("bit", [6, 13, 14, 15])
def test_what_is_no_speed(bit: int) -> None:
    assert "supported_speed_bytes" not in rows(1 << bit, 0)


@pytest.mark.parametrize(
    ("bit", "port"),
    [(7, "TP"), (8, "AUI"), (9, "MII"), (10, "FIBRE"), (11, "BNC"), (16, "Backplane")],
)
def test_ports(bit: int, port: str) -> None:
    assert rows(1 << bit, 0)["supported_port_info"] == [({"type": port}, 1)]
