"""Link modes of network devices as metrics (collector/ethtool_linux.go).

Upstream asks for the modes that fit into 32 bits, and so does this: the table ends with
bit 31 of ETHTOOL_LINK_MODE_* in linux/ethtool.h.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from exporters.node.families import Families
from exporters.node.network.ethtool import Settings


class _Speed(NamedTuple):
    """A mode's speed in megabits a second, its duplex, and its medium."""

    megabits: int
    duplex: str
    medium: str


_SPEEDS = {
    0: _Speed(10, "half", "T"),
    1: _Speed(10, "full", "T"),
    2: _Speed(100, "half", "T"),
    3: _Speed(100, "full", "T"),
    4: _Speed(1000, "half", "T"),
    5: _Speed(1000, "full", "T"),
    12: _Speed(10000, "full", "T"),
    17: _Speed(1000, "full", "KX"),
    18: _Speed(10000, "full", "KX4"),
    19: _Speed(10000, "full", "KR"),
    20: _Speed(10000, "full", "R_FEC"),
    21: _Speed(20000, "full", "MLD2"),
    22: _Speed(20000, "full", "KR2"),
    23: _Speed(40000, "full", "KR4"),
    24: _Speed(40000, "full", "CR4"),
    25: _Speed(40000, "full", "SR4"),
    26: _Speed(40000, "full", "LR4"),
    27: _Speed(56000, "full", "KR4"),
    28: _Speed(56000, "full", "CR4"),
    29: _Speed(56000, "full", "SR4"),
    30: _Speed(56000, "full", "LR4"),
    31: _Speed(25000, "full", "CR"),
}
_PORTS = {7: "TP", 8: "AUI", 9: "MII", 10: "FIBRE", 11: "BNC", 16: "Backplane"}
_AUTONEGOTIATE, _PAUSE, _ASYMMETRIC_PAUSE = 6, 13, 14
_BYTES_PER_MEGABIT = 1000 * 1000 / 8

# family without node_network_, bit, HELP
_SUPPORTED = (
    (
        "autonegotiate_supported",
        _AUTONEGOTIATE,
        "If this port device supports autonegotiate",
    ),
    ("pause_supported", _PAUSE, "If this port device supports pause frames"),
    (
        "asymmetricpause_supported",
        _ASYMMETRIC_PAUSE,
        "If this port device supports asymmetric pause frames",
    ),
)
_ADVERTISED = (
    (
        "autonegotiate_advertised",
        _AUTONEGOTIATE,
        "If this port device offers autonegotiate",
    ),
    ("pause_advertised", _PAUSE, "If this port device offers pause capability"),
    (
        "asymmetricpause_advertised",
        _ASYMMETRIC_PAUSE,
        "If this port device offers asymmetric pause capability",
    ),
)


def add_settings(found: Families, device: str, settings: Settings) -> None:
    """Add what the link of *device* can do, offers and does to *found*."""
    supported, advertising, autonegotiation = settings
    _add_speeds(
        found,
        "node_network_supported_speed_bytes",
        "Combination of speeds and features supported by network device",
        device,
        supported,
    )
    _add_speeds(
        found,
        "node_network_advertised_speed_bytes",
        "Combination of speeds and features offered by network device",
        device,
        advertising,
    )
    for bit in _bits(supported, _PORTS):
        found.gauge(
            "node_network_supported_port_info",
            "Type of ports or PHYs supported by network device",
            1,
            {"device": device, "type": _PORTS[bit]},
        )
    for table, modes in ((_SUPPORTED, supported), (_ADVERTISED, advertising)):
        for name, bit, text in table:
            value = modes >> bit & 1
            found.gauge(f"node_network_{name}", text, value, {"device": device})
    found.gauge(
        "node_network_autonegotiate",
        "If this port is using autonegotiate",
        autonegotiation,
        {"device": device},
    )


def _add_speeds(found: Families, name: str, text: str, device: str, modes: int) -> None:
    for bit in _bits(modes, _SPEEDS):
        megabits, duplex, medium = _SPEEDS[bit]
        labels = {
            "device": device,
            "duplex": duplex,
            "mode": f"{megabits}base{medium}",
        }
        found.gauge(name, text, megabits * _BYTES_PER_MEGABIT, labels)


def _bits(modes: int, wanted: Iterable[int]) -> Iterator[int]:
    """Yield those of *wanted* that are set in *modes*."""
    return (bit for bit in wanted if modes >> bit & 1)
