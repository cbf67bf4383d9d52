"""What the wifi collector shows, and upstream's files of it for tests.

``--collector.wifi.fixtures`` names a folder with ``interfaces.json`` and, for each
interface, ``bss.json`` and ``stationinfo.json``: JSON of mdlayher/wifi's structs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.network import json_fixture
from exporters.toolkit.duration import in_seconds


_MODES = {0: "client", 1: "client", 3: "ad-hoc"}


class Interface(NamedTuple):
    """One wireless interface; some virtual ones have no name."""

    name: str
    megahertz: int


class Network(NamedTuple):
    """The network (basic service set) that an interface is in."""

    ssid: str
    bssid: str
    mode: str


class Station(NamedTuple):
    """The other end of a connection. Bitrates are bits a second."""

    address: str
    connected_seconds: float
    inactive_seconds: float
    receive_bitrate: int
    transmit_bitrate: int
    received_bytes: int
    transmitted_bytes: int
    signal_dbm: int
    transmit_retries: int
    transmit_failed: int
    beacon_loss: int
    transmitted_packets: int
    received_packets: int


def mode_of(status: int) -> str:
    """Return upstream's word for a BSSStatus of its library."""
    return _MODES.get(status, "unknown")


def parse_interfaces(data: bytes, path: str) -> Iterator[Interface]:
    """Yield the interfaces of ``interfaces.json``. Raises ValueError."""
    for record in json_fixture.parse_records(data, path):
        yield Interface(record.text("name"), record.integer("frequency"))


def parse_network(data: bytes, path: str) -> Network:
    """Return the network of ``bss.json``. Raises ValueError."""
    record = json_fixture.parse_record(data, path)
    return Network(
        ssid=record.text("ssid"),
        bssid=record.packed("bssid").hex(":"),
        mode=mode_of(record.integer("status")),
    )


def parse_stations(data: bytes, path: str) -> Iterator[Station]:
    """Yield the stations of ``stationinfo.json``. Raises ValueError."""
    for record in json_fixture.parse_records(data, path):
        yield Station(
            address=record.packed("hardwareaddr").hex(":"),
            connected_seconds=in_seconds(record.integer("connected")),
            inactive_seconds=in_seconds(record.integer("inactive")),
            receive_bitrate=record.integer("receivebitrate"),
            transmit_bitrate=record.integer("transmitbitrate"),
            received_bytes=record.integer("receivedbytes"),
            transmitted_bytes=record.integer("transmittedbytes"),
            signal_dbm=record.integer("signal"),
            transmit_retries=record.integer("transmitretries"),
            transmit_failed=record.integer("transmitfailed"),
            beacon_loss=record.integer("beaconloss"),
            transmitted_packets=record.integer("transmittedpackets"),
            received_packets=record.integer("receivedpackets"),
        )


class Fixtures:
    """Wireless devices in files, in the place of the kernel's."""

    def __init__(self, folder: str) -> None:
        """Read below *folder*."""
        self._folder = folder

    def interfaces(self) -> Iterator[Interface]:
        """Yield the interfaces. Raises OSError and ValueError."""
        path = f"{self._folder}/interfaces.json"
        return parse_interfaces(procfs.read(path), path)

    def network(self, name: str) -> Network | None:
        """Return the network of the interface *name*. Raises OSError, ValueError."""
        path = f"{self._folder}/{name}/bss.json"
        data = procfs.read_optional(path)
        return None if data is None else parse_network(data, path)

    def stations(self, name: str) -> Iterator[Station]:
        """Yield the stations of the interface *name*. Raises OSError, ValueError."""
        path = f"{self._folder}/{name}/stationinfo.json"
        data = procfs.read_optional(path)
        return iter(()) if data is None else parse_stations(data, path)
