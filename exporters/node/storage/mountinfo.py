r"""The mounts of /proc/<pid>/mountinfo (proc_pid_mountinfo(5), procfs mountinfo.go).

Paths are bytes to the kernel. Here they are text in which a byte that is not UTF-8 is
a lone surrogate, so that they can be handed back to the kernel;
:func:`label` makes of that what a label can hold.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.paths import Paths


class Mount(NamedTuple):
    r"""One mount. Blanks in the texts are still ``\040``."""

    major: int
    minor: int
    mount_point: str
    options: frozenset[str]
    fs_type: str
    source: str
    super_options: frozenset[str]

    @property
    def is_read_only(self) -> bool:
        """Tell whether nothing can be written, or not any more (#3157)."""
        gave_up = "emergency_ro" in self.super_options
        return gave_up or "ro" in self.options or "ro" in self.super_options


_LEAST_FIELDS = 10
_DEVICE = re.compile(r"([0-9]+):([0-9]+)")
_ESCAPE = re.compile(rb"\\([0-3][0-7]{2})")
_NOT_UTF8 = re.compile("[\ud800-\udfff]+")


def read(paths: Paths) -> tuple[Mount, ...]:
    """Return the mounts that PID 1 sees, or this process where PID 1 is hidden.

    The same object as before where nothing has changed. Raises OSError and ValueError.
    """
    data = procfs.read_optional(paths.proc("1", "mountinfo"))
    if data is None:  # hidepid
        data = procfs.read(paths.proc("self", "mountinfo"))
    return parse(data)


@functools.lru_cache(maxsize=2)  # 222 mounts of a host with containers: 0.2 ms
def parse(data: bytes) -> tuple[Mount, ...]:
    """Return the mounts of a mountinfo file. Raises ValueError."""
    found: list[Mount] = []
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line:
            try:
                found.append(parse_line(line))
            except ValueError as error:
                raise ValueError(f"mountinfo:{number}: {error}") from None
    return tuple(found)


def path_text(data: bytes) -> str:
    """Return *data* as text from which :func:`path_bytes` gives it back."""
    return data.decode("utf-8", "surrogateescape")


def path_bytes(text: str) -> bytes:
    """Return the bytes of *text* for the kernel, whatever the locale is."""
    return text.encode("utf-8", "surrogateescape")


@functools.lru_cache(maxsize=2048)  # most lines are as they were at the last scrape
def parse_line(line: bytes) -> Mount:
    """Return the mount of a *line*. Raises ValueError."""
    fields = path_text(line).split(" ")
    if len(fields) < _LEAST_FIELDS:
        raise ValueError(f"too few fields in mount string: {path_text(line)!a}")
    if fields[-4] != "-":
        raise ValueError(f"couldn't find separator in expected field: {fields[-4]!a}")
    device = _DEVICE.fullmatch(fields[2])
    if device is None:
        raise ValueError(f"malformed mount point MajorMinorVer: {fields[2]!a}")
    return Mount(
        major=int(device[1]),
        minor=int(device[2]),
        mount_point=fields[4],
        options=_options(fields[5]),
        fs_type=fields[-3],
        source=fields[-2],
        super_options=_options(fields[-1]),
    )


@functools.lru_cache(maxsize=256)
def _options(text: str) -> frozenset[str]:
    return frozenset(text.split(","))


def unescape(text: str) -> str:
    r"""Return *text* with all octal escapes undone: the path as the kernel knows it."""
    if "\\" not in text:
        return text
    plain = _ESCAPE.sub(lambda found: bytes([int(found[1], 8)]), path_bytes(text))
    return path_text(plain)


def shown(mount_point: str) -> str:
    r"""Return *mount_point* with blank and tab undone, and no more, as upstream.

    A newline or a backslash in it stays ``\012`` or ``\134`` in labels.
    """
    return mount_point.replace("\\040", " ").replace("\\011", "\t")


def label(text: str) -> str:
    """Return *text* with each run of bytes that are not UTF-8 as one U+FFFD."""
    return text if text.isascii() else _NOT_UTF8.sub("\ufffd", text)
