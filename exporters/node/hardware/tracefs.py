"""Find tracepoints of the kernel in tracefs (perf-utils events.go, fs_utils.go)."""

from __future__ import annotations

import re
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.hardware.perf_events import TRACEPOINT, Event
from exporters.toolkit.errors import StartError


# What the kernel names tracepoints with; also what a metric's name may have.
_NAME = re.compile(r"\w+", re.ASCII)
_MOUNTS = "/proc/mounts"  # this process's own, whatever --path.procfs says


class Tracepoint(NamedTuple):
    """A tracepoint: the subsystem and the event in it."""

    subsystem: str
    event: str


def find(texts: tuple[str, ...]) -> list[tuple[Tracepoint, Event]]:
    """Return the tracepoints that *texts* name, each once. Raises StartError."""
    tracepoints = [parse(text) for text in dict.fromkeys(texts)]
    try:
        folder = parse_mounts(procfs.read(_MOUNTS))
    except OSError as error:
        raise StartError(f"Failed to get tracefs mount: {error}") from error
    return [(one, read_event(folder, one)) for one in tracepoints]


def parse(text: str) -> Tracepoint:
    """Return the tracepoint of ``subsystem:event``. Raises StartError."""
    parts = text.split(":")
    if len(parts) != 2 or not all(_NAME.fullmatch(part) for part in parts):
        raise StartError(f"invalid tracepoint config {text}")
    return Tracepoint(*parts)


def parse_mounts(mounts: bytes) -> str:
    """Return where tracefs is by the text of ``/proc/mounts``. Raises StartError."""
    for _, line in procfs.lines(mounts):
        fields = line.split(b" ")
        if len(fields) > 3 and fields[2] == b"tracefs":
            return procfs.text(fields[1])
    raise StartError("Mount for tracefs not mounted")


def read_event(folder: str, tracepoint: Tracepoint) -> Event:
    """Return the event of *tracepoint* by the tracefs *folder*. Raises StartError."""
    subsystem, event = tracepoint
    try:
        number = procfs.read(f"{folder}/events/{subsystem}/{event}/id")
        return Event(TRACEPOINT, procfs.parse_uint(number))
    except (OSError, ValueError) as error:
        raise StartError(
            f"Failed to get tracepoint config for {subsystem}:{event}: {error}"
        ) from error
