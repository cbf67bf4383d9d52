"""Find the place in a log by what was read, where times mislead. Pure.

``since`` is all that Docker's API offers to go on behind a line. A clock that was set
back stamps new lines with old times: while nobody reads, they would be passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zlib import crc32

from shipper.docker.frames import UNSTAMPED, Line
from shipper.docker.progress import Mark


TAIL_LINES = 1000
"""How many lines of the end of a log are looked at."""


def unread(lines: Sequence[Line], read: Mapping[int, Mark]) -> list[Line]:
    """Return those of *lines*, the end of a log, that come behind *read*.

    Empty, too, when that cannot be told: the place of a stream is not among them. What
    a stream without a place has comes behind the last place of the others.
    """
    places = {stream: _place(lines, stream, mark) for stream, mark in read.items()}
    if not places or -1 in places.values():
        return []
    last = max(places.values())
    return [
        line
        for at, line in enumerate(lines)
        if not line[0] & UNSTAMPED and at > places.get(line[0], last)
    ]


def holds(lines: Sequence[Line], read: Mapping[int, Mark]) -> bool:
    """Say whether the place of every stream in *read* is among *lines*."""
    return all(_place(lines, stream, mark) >= 0 for stream, mark in read.items())


def _place(lines: Sequence[Line], stream: int, mark: Mark) -> int:
    """Return where the last line of *mark* is, -1 when it is not there."""
    for at in range(len(lines) - 1, -1, -1):
        kind, (timestamp_ns, text, _) = lines[at]
        if (
            kind == stream
            and timestamp_ns == mark.timestamp_ns
            and crc32(text) == mark.checksums[-1]
        ):
            return at
    return -1
