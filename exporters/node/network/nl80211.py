"""Wireless interfaces, their network and stations, from nl80211 (linux/nl80211.h).

Counterpart of mdlayher/wifi.
"""

from __future__ import annotations

import errno
import re
import struct
from collections.abc import Iterator, Mapping

from exporters.node.network import genetlink, netlink
from exporters.node.network.genetlink import Family
from exporters.node.network.netlink import NetlinkError, integer
from exporters.node.network.wifi_state import (
    Interface,
    Network,
    Station,
    mode_of,
)
from exporters.toolkit.duration import in_seconds


_FAMILY = "nl80211"
_GET_INTERFACE, _GET_STATION, _GET_SCAN = 5, 17, 32
_IFINDEX, _IFNAME, _MAC, _STA_INFO, _FREQUENCY, _BSS = 3, 4, 6, 21, 38, 47
_BSS_ID, _BSS_ELEMENTS, _BSS_STATUS = 1, 6, 9
_ELEMENT_SSID = 0
# NL80211_STA_INFO_*
_INACTIVE_MS, _RX_BYTES, _TX_BYTES, _SIGNAL = 1, 2, 3, 7
_TX_BITRATE, _RX_PACKETS, _TX_PACKETS, _TX_RETRIES = 8, 9, 10, 11
_TX_FAILED, _RX_BITRATE, _CONNECTED_SECONDS, _BEACON_LOSS = 12, 14, 16, 18
_RX_BYTES64, _TX_BYTES64 = 23, 24
_RATE_16, _RATE_32 = 1, 5
_RATE_UNIT = 100_000  # bits a second

# A device that is gone, or a driver that cannot tell.
_NOTHING = frozenset({errno.ENODEV, errno.ENOENT, errno.EOPNOTSUPP})
_NO_UTF8 = re.compile("[\udc80-\udcff]")

Attributes = Mapping[int, bytes]


def parse_interface(data: bytes) -> tuple[int, Interface]:
    """Return the number of an interface, and the interface. Raises NetlinkError."""
    found = dict(netlink.parse_attributes(data))
    return _number(found, _IFINDEX), Interface(
        netlink.text(found.get(_IFNAME, b"")), _number(found, _FREQUENCY)
    )


def parse_network(data: bytes) -> Network | None:
    """Return the network of a scan's result, None if it is not the one in use.

    Raises NetlinkError.
    """
    found = dict(netlink.parse_attributes(data))
    bss = dict(netlink.parse_attributes(found.get(_BSS, b"")))
    if _BSS_STATUS not in bss:
        return None
    # What the kernel calls IBSS_JOINED is 2; upstream's library has come to call it 3.
    status = _number(bss, _BSS_STATUS)
    return Network(
        ssid=_ssid(bss.get(_BSS_ELEMENTS, b"")),
        bssid=bss.get(_BSS_ID, b"").hex(":"),
        mode=mode_of(3 if status == 2 else status),
    )


def _ssid(elements: bytes) -> str:
    name = ""
    while elements:
        if len(elements) < 2 or len(elements) < 2 + elements[1]:
            raise NetlinkError(f"nl80211: {len(elements)} bytes left of an element")
        end = 2 + elements[1]
        if elements[0] == _ELEMENT_SSID:
            # One U+FFFD for each byte that is not UTF-8, as Go does it.
            name = elements[2:end].decode("utf-8", "surrogateescape")
        elements = elements[end:]
    return _NO_UTF8.sub("\ufffd", name)


def parse_station(data: bytes) -> Station | None:
    """Return a station, None where nothing is said of it. Raises NetlinkError."""
    found = dict(netlink.parse_attributes(data))
    if _STA_INFO not in found:
        return None
    info = dict(netlink.parse_attributes(found[_STA_INFO]))
    return Station(
        address=found.get(_MAC, b"").hex(":"),
        connected_seconds=float(_number(info, _CONNECTED_SECONDS)),
        inactive_seconds=in_seconds(_number(info, _INACTIVE_MS) * 10**6),
        receive_bitrate=_bitrate(info.get(_RX_BITRATE, b"")),
        transmit_bitrate=_bitrate(info.get(_TX_BITRATE, b"")),
        received_bytes=_number(info, _RX_BYTES64, _RX_BYTES),
        transmitted_bytes=_number(info, _TX_BYTES64, _TX_BYTES),
        signal_dbm=_signed_byte(info.get(_SIGNAL, b"\0")),
        transmit_retries=_number(info, _TX_RETRIES),
        transmit_failed=_number(info, _TX_FAILED),
        beacon_loss=_number(info, _BEACON_LOSS),
        transmitted_packets=_number(info, _TX_PACKETS),
        received_packets=_number(info, _RX_PACKETS),
    )


def _bitrate(data: bytes) -> int:
    rate = dict(netlink.parse_attributes(data))
    return _RATE_UNIT * _number(rate, _RATE_32, _RATE_16)


def _number(found: Attributes, *kinds: int) -> int:
    """Return the first of *kinds* that is there, 0 if none is."""
    return next((integer(found[kind]) for kind in kinds if kind in found), 0)


def _signed_byte(value: bytes) -> int:
    if len(value) != 1:
        raise NetlinkError(f"nl80211: signal of {len(value)} bytes")
    number: int = struct.unpack("=b", value)[0]
    return number


class Kernel:
    """The wireless devices of this network namespace."""

    def __init__(self, family: Family) -> None:
        """Ask *family*, which is nl80211's."""
        self._family = family
        self._indices: dict[str, int] = {}

    @classmethod
    def connect(cls) -> Kernel:
        """Return the kernel. Raises FileNotFoundError where it has no wireless."""
        return cls(genetlink.find_family(_FAMILY))

    def interfaces(self) -> Iterator[Interface]:
        """Yield every wireless interface. Raises OSError and NetlinkError."""
        for data in genetlink.dump(self._family, _GET_INTERFACE):
            index, interface = parse_interface(data)
            self._indices[interface.name] = index
            yield interface

    def network(self, name: str) -> Network | None:
        """Return the network that the interface *name* is in, None if in none."""
        found = map(parse_network, self._dump(_GET_SCAN, name))
        return next((network for network in found if network is not None), None)

    def stations(self, name: str) -> Iterator[Station]:
        """Yield the stations of the interface *name*. Raises OSError, NetlinkError."""
        for data in self._dump(_GET_STATION, name):
            station = parse_station(data)
            if station is not None:
                yield station

    def _dump(self, command: int, name: str) -> list[bytes]:
        index = struct.pack("=I", self._indices[name])
        wanted = netlink.attribute(_IFINDEX, index)
        try:
            return genetlink.dump(self._family, command, wanted)
        except OSError as error:
            if error.errno in _NOTHING:
                return []
            raise
