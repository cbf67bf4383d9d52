"""Driver, link and statistics of network devices by ioctl (linux/ethtool.h).

Counterpart of safchain/ethtool. ``parse_*`` take the structs that the kernel filled in.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple


_SIOCETHTOOL = 0x8946
_GSET, _GDRVINFO, _GSTRINGS, _GSTATS = 1, 3, 27, 29
_SS_STATS = 1
_NAME_BYTES = 32
_MOST_STATISTICS = 32_768  # upstream's limit, too
_ATTEMPTS = 3

_IFREQ = struct.Struct("@16sP16x")  # interface, data
# command, supported, advertising, ..., autonegotiation, ...
_SETTINGS = struct.Struct("=xxxxIIxxxxxxB25x")
# command, driver, version, firmware, bus, ROM, ..., number of statistics, ...
_DRIVER = struct.Struct("=xxxx32s32s32s32s32s16xI12x")
_STRINGS = struct.Struct("=III")  # command, set, number of names
_STATISTICS = struct.Struct("=II")  # command, number of values
_ROOM = _STRINGS.size + _MOST_STATISTICS * _NAME_BYTES


class Settings(NamedTuple):
    """A link: masks of ETHTOOL_LINK_MODE_* bits, and AUTONEG_*."""

    supported: int
    advertising: int
    autonegotiation: int


class Driver(NamedTuple):
    """What a driver says of itself, and how many statistics it has."""

    driver: str
    version: str
    firmware: str
    bus: str
    rom: str
    statistics: int


def parse_settings(data: bytes) -> Settings:
    """Return the link of a struct ethtool_cmd. Raises ValueError."""
    return Settings(*_unpack(_SETTINGS, data))


def parse_driver(data: bytes) -> Driver:
    """Return the driver of a struct ethtool_drvinfo. Raises ValueError."""
    *texts, statistics = _unpack(_DRIVER, data)
    driver, version, firmware, bus, rom = map(_text, texts)
    return Driver(driver, version, firmware, bus, rom, statistics)


def names_count(data: bytes) -> int:
    """Return how many names a struct ethtool_gstrings claims. Raises ValueError."""
    count: int = _unpack(_STRINGS, data)[2]
    return count


def parse_names(data: bytes) -> list[str]:
    """Return the names in a struct ethtool_gstrings. Raises ValueError."""
    count = names_count(data)
    end = _STRINGS.size + count * _NAME_BYTES
    if end > len(data):
        raise ValueError(f"ethtool: {count} names in {len(data)} bytes")
    return [
        _text(data[start : start + _NAME_BYTES])
        for start in range(_STRINGS.size, end, _NAME_BYTES)
    ]


def values_count(data: bytes) -> int:
    """Return how many values a struct ethtool_stats claims. Raises ValueError."""
    count: int = _unpack(_STATISTICS, data)[1]
    return count


def parse_values(data: bytes) -> tuple[int, ...]:
    """Return the values in a struct ethtool_stats. Raises ValueError."""
    count = values_count(data)
    if _STATISTICS.size + 8 * count > len(data):
        raise ValueError(f"ethtool: {count} values in {len(data)} bytes")
    return struct.unpack_from(f"={count}Q", data, _STATISTICS.size)


def _unpack(layout: struct.Struct, data: bytes) -> tuple[Any, ...]:
    if len(data) < layout.size:
        raise ValueError(f"ethtool: expected {layout.size} bytes, got {len(data)}")
    return layout.unpack_from(data)


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("utf-8", "replace")


class Ethtool:
    """The devices of this network namespace. Everything raises OSError.

    One ioctl takes as long as the driver takes; there is no deadline for it.
    """

    def __init__(self, control: socket.socket, memory: mmap.mmap) -> None:
        """Ask by *control*, any socket; the kernel writes its answers to *memory*."""
        self._control = control
        self._memory = memory
        buffer = ctypes.c_char.from_buffer(memory)
        self._address = ctypes.addressof(buffer)
        del buffer  # the mapping can be closed only when nobody refers to it

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Ethtool]:
        """Give an Ethtool for as long as the context lasts.

        The kernel, up to Linux 6.18, writes as many statistics as the driver has by
        then, however many were asked for. Hence room for more than any driver has:
        pages that are not written to cost nothing.
        """
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
        with (
            socket.socket(socket.AF_INET, kind) as control,
            mmap.mmap(-1, _ROOM) as memory,
        ):
            yield cls(control, memory)

    def settings(self, device: str) -> Settings:
        """Return the link of *device*."""
        return parse_settings(
            self._ask(device, struct.pack("=I", _GSET), _SETTINGS.size)
        )

    def driver(self, device: str) -> Driver:
        """Return the driver of *device*."""
        request = struct.pack("=I", _GDRVINFO)
        return parse_driver(self._ask(device, request, _DRIVER.size))

    def statistics(self, device: str) -> Mapping[str, int]:
        """Return the driver's statistics of *device* by the driver's names."""
        for _ in range(_ATTEMPTS):
            count = self.driver(device).statistics
            if count > _MOST_STATISTICS:
                raise OSError(errno.E2BIG, f"ethtool: {count} statistics of {device}")
            request = _STRINGS.pack(_GSTRINGS, _SS_STATS, count)
            names = self._ask(device, request, _STRINGS.size + count * _NAME_BYTES)
            request = _STATISTICS.pack(_GSTATS, count)
            values = self._ask(device, request, _STATISTICS.size + count * 8)
            # A queue may have come or gone between two of the three questions.
            if names_count(names) == values_count(values) == count:
                pairs = zip(parse_names(names), parse_values(values), strict=True)
                return {name: value for name, value in pairs if name}
        raise OSError(errno.EAGAIN, f"ethtool: statistics of {device} keep changing")

    def _ask(self, device: str, request: bytes, size: int) -> bytes:
        self._memory[: len(request)] = request
        self._memory[len(request) : size] = bytes(size - len(request))
        name = device.encode("utf-8", "surrogateescape")[:15]
        fcntl.ioctl(self._control, _SIOCETHTOOL, _IFREQ.pack(name, self._address))
        return self._memory[:size]
