"""Wireless networks and stations (node_exporter collector/wifi_linux.go)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from exporters.node.device_filter import DeviceFilter
from exporters.node.families import Families
from exporters.node.network import network_devices
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.toolkit.flags import string
from exporters.toolkit.metric import Metric


if TYPE_CHECKING:
    from exporters.node.network.nl80211 import Kernel
    from exporters.node.network.wifi_state import Fixtures, Interface, Network, Station

FIXTURES = string(
    "collector.wifi.fixtures",
    "test fixtures to use for wifi collector metrics",
    placeholder='""',  # upstream has a default here, the empty one
)

# name, field of wifi_state.Station, HELP
_STATION_METRICS = (
    (
        "connected_seconds_total",
        "connected_seconds",
        "The total number of seconds a station has been connected to an access point.",
    ),
    (
        "inactive_seconds",
        "inactive_seconds",
        (
            "The number of seconds since any wireless activity has occurred"
            " on a station."
        ),
    ),
    (
        "receive_bits_per_second",
        "receive_bitrate",
        "The current WiFi receive bitrate of a station, in bits per second.",
    ),
    (
        "transmit_bits_per_second",
        "transmit_bitrate",
        "The current WiFi transmit bitrate of a station, in bits per second.",
    ),
    (
        "receive_bytes_total",
        "received_bytes",
        "The total number of bytes received by a WiFi station.",
    ),
    (
        "transmit_bytes_total",
        "transmitted_bytes",
        "The total number of bytes transmitted by a WiFi station.",
    ),
    (
        "signal_dbm",
        "signal_dbm",
        "The current WiFi signal strength, in decibel-milliwatts (dBm).",
    ),
    (
        "transmit_retries_total",
        "transmit_retries",
        "The total number of times a station has had to retry while sending a packet.",
    ),
    (
        "transmit_failed_total",
        "transmit_failed",
        "The total number of times a station has failed to send a packet.",
    ),
    (
        "beacon_loss_total",
        "beacon_loss",
        "The total number of times a station has detected a beacon loss.",
    ),
    (
        "transmitted_packets_total",
        "transmitted_packets",
        "The total number of packets transmitted by a station.",
    ),
    (
        "received_packets_total",
        "received_packets",
        "The total number of packets received by a station.",
    ),
)
_HERTZ_PER_MEGAHERTZ = 1000 * 1000


def create(context: Context) -> Collect:
    """Return the collector. Raises RegexError."""
    devices = network_devices.device_filter(context.values)
    fixtures = context.values[FIXTURES]

    def collect() -> Iterable[Metric]:
        return families(_open(fixtures), devices)

    return collect


def _open(fixtures: str) -> Kernel | Fixtures:
    from exporters.node.network import nl80211, wifi_state  # noqa: PLC0415 - few want it

    if fixtures:
        return wifi_state.Fixtures(fixtures)
    try:
        return nl80211.Kernel.connect()
    except (FileNotFoundError, PermissionError) as error:
        raise NoData(f"nl80211: {error.strerror}") from error


def families(source: Kernel | Fixtures, devices: DeviceFilter) -> Iterator[Metric]:
    """Yield the families of *devices* in *source*.

    Raises OSError and ValueError, but of a device that cannot be read only after
    everything about the others.
    """
    found = Families()
    failures: list[Exception] = []
    for interface in source.interfaces():
        if interface.name and not devices.ignored(interface.name):
            try:
                _add_device(found, source, interface)
            except (OSError, ValueError) as error:
                failures.append(error)
    yield from found
    if failures:
        raise failures[0]


def _add_device(
    found: Families, source: Kernel | Fixtures, interface: Interface
) -> None:
    _add_interface(found, interface)
    network = source.network(interface.name)
    if network is not None:
        _add_network(found, interface.name, network)
    for station in source.stations(interface.name):
        _add_station(found, interface.name, station)


def _add_interface(found: Families, interface: Interface) -> None:
    found.gauge(
        "node_wifi_interface_frequency_hertz",
        "The current frequency a WiFi interface is operating at, in hertz.",
        interface.megahertz * _HERTZ_PER_MEGAHERTZ,
        {"device": interface.name},
    )


def _add_network(found: Families, device: str, network: Network) -> None:
    labels = {
        "device": device,
        "bssid": network.bssid,
        "ssid": network.ssid,
        "mode": network.mode,
    }
    found.gauge(
        "node_wifi_station_info",
        (
            "Labeled WiFi interface station information as provided"
            " by the operating system."
        ),
        1,
        labels,
    )


def _add_station(found: Families, device: str, station: Station) -> None:
    labels = {"device": device, "mac_address": station.address}
    for name, field, text in _STATION_METRICS:
        value = getattr(station, field)
        found.named(f"node_wifi_station_{name}", text, value, labels)


COLLECTOR = CollectorSpec(
    "wifi", create, default_enabled=False, flags=(FIXTURES, *network_devices.FLAGS)
)
