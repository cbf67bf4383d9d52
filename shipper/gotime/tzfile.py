"""The time zone database's files (RFC 8536): found, and what zoneinfo does not tell."""

from __future__ import annotations

import os
import struct
from importlib import resources
from zoneinfo import TZPATH

from exporters.toolkit.gotext import quote


Abbreviations = tuple[tuple[str, int], ...]
"""Names such as CEST and their offsets in seconds, in the order of the file."""

_HEADER = struct.Struct(">4s c 15x 6l")
_TYPE = struct.Struct(">l ? B")


def read_zone(name: str) -> bytes:
    """Return the file of zone *name*. Raises ValueError with Go's text."""
    if ".." in name or name[:1] in {"/", "\\"}:
        raise ValueError("time: invalid location name")
    if name and "\0" not in name:
        for folder in TZPATH:
            data = read_zone_file(os.path.join(folder, name))
            if data:
                return data
        if data := _packaged(name):
            return data
    raise ValueError(f"unknown time zone {name if name.isprintable() else quote(name)}")


def read_zone_file(path: str) -> bytes:
    """Return the zone in the file *path*; nothing if it holds none."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return b""
    return data if data.startswith(b"TZif") else b""


def _packaged(name: str) -> bytes:
    """Return the zone from the package tzdata, if that is installed."""
    try:
        data = resources.files("tzdata").joinpath("zoneinfo", name).read_bytes()
    except (ModuleNotFoundError, OSError, UnicodeError):
        return b""
    return data if data.startswith(b"TZif") else b""


def abbreviations(data: bytes) -> Abbreviations:
    """Return the abbreviations of the zone file *data*. Raises ValueError."""
    try:
        start = 0
        if data[4:5] != b"\0":  # the second block has the 64-bit times
            start = _HEADER.size + _block_size(data, 0, 4)
        return _types(data, start, 4 if start == 0 else 8)
    except (struct.error, IndexError, UnicodeError) as error:
        raise ValueError("malformed time zone information") from error


def _block_size(data: bytes, start: int, time_bytes: int) -> int:
    _, _, utc, std, leaps, times, types, chars = _HEADER.unpack_from(data, start)
    size: int = times * (time_bytes + 1) + types * _TYPE.size + chars
    size += leaps * (time_bytes + 4) + std + utc
    return size


def _types(data: bytes, start: int, time_bytes: int) -> Abbreviations:
    _, _, _, _, _, times, types, chars = _HEADER.unpack_from(data, start)
    begin = start + _HEADER.size + times * (time_bytes + 1)
    texts = data[begin + types * _TYPE.size :][:chars]
    found: list[tuple[str, int]] = []
    for index in range(types):
        offset, _, place = _TYPE.unpack_from(data, begin + index * _TYPE.size)
        found.append((texts[place : texts.index(0, place)].decode("ascii"), offset))
    return tuple(found)
