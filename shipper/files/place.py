"""How far each file of a path is read and acknowledged. Pure: no I/O, no clock.

A path is a row of files: the one that bears the name now and, after a rotation, those
before it that are not done. `Trail` is that row, a `Segment` is one file in it and its
cursor, a `Place` is what is kept of a segment over a restart.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

from shipper.pipeline.entry import Entry


HEAD_BYTES = 1024
"""How much of a file's beginning tells it from another with the same inode."""


@dataclass(frozen=True, slots=True)
class Place:
    """Up to *offset* the file is done.

    It is told by its *inode* (not by its device: numbers of devices change when a host
    starts) and the checksum of its first *head_bytes* bytes. No inode: only promtail's
    number is known. Of an archive *offset* counts unpacked bytes, and *lines* are those
    before it.
    """

    offset: int
    inode: int | None = None
    head_bytes: int = 0
    head_checksum: int = 0
    lines: int | None = None

    @property
    def number(self) -> int:
        """What promtail keeps: an offset, or of an archive a number of lines."""
        return self.offset if self.lines is None else self.lines

    def describes(self, head: bytes) -> bool:
        """Say whether a file that begins with *head* begins as this one did."""
        return (
            len(head) >= self.head_bytes
            and crc32(head[: self.head_bytes]) == self.head_checksum
        )


def format_place(place: Place) -> str:
    """Return *place* as text: ``<offset> <inode> <head bytes>:<head checksum>``.

    Of an archive the number of lines follows.
    """
    head = f"{place.head_bytes}:{place.head_checksum:08x}"
    lines = "" if place.lines is None else f" {place.lines}"
    return f"{place.offset} {place.inode} {head}{lines}"


def parse_place(text: str) -> Place:
    """Return the place that *text* says; ValueError when it says none."""
    try:
        offset, inode, head, *lines = text.split(" ")
        head_bytes, checksum = head.split(":")
        place = Place(
            int(offset),
            int(inode),
            int(head_bytes),
            int(checksum, 16),
            int(*lines) if lines else None,
        )
    except (TypeError, ValueError):
        place = None
    if place is None or not _possible(place):
        raise ValueError(
            f"expected '<offset> <inode> <bytes>:<checksum>[ <lines>]', got {text!r}"
        )
    return place


def _possible(place: Place) -> bool:
    return min(place.offset, place.number) >= 0 and 0 <= place.head_bytes <= HEAD_BYTES


class Segment:
    """A `Cursor`: the lines of one file, and up to where they are acknowledged."""

    __slots__ = (
        "_marks",
        "done",
        "ended",
        "head",
        "inode",
        "lines",
        "pending",
        "stream_key",
    )

    def __init__(self, inode: int, offset: int, lines: int | None = None) -> None:
        self.inode = inode
        self.lines = lines
        """How many lines end up to `done`, if they are counted."""
        self.head = b""
        """The first `HEAD_BYTES` of the file, as far as they are known."""
        self.done = offset
        self.pending: deque[int] = deque()
        """Where each line ends that was put and not acknowledged."""
        self.ended = False
        """Nothing more will be read of it."""
        self.stream_key = id(self)
        """See `shipper.pipeline.entry.stream_key`."""
        self._marks: deque[tuple[int, int]] = deque()

    def mark(self, end: int, now_ns: int) -> None:
        """Note that lines up to *end* are put now."""
        marks = self._marks
        while marks and marks[0][0] <= self.done:
            marks.popleft()
        marks.append((end, now_ns))

    @property
    def waiting_since_ns(self) -> int | None:
        """When the oldest line that is not acknowledged was put; None without one."""
        marks = self._marks
        while marks and (marks[0][0] <= self.done or not self.pending):
            marks.popleft()
        return marks[0][1] if marks else None

    def acknowledge(self, entries: Sequence[Entry]) -> None:
        """Note that the oldest ``len(entries)`` lines are done.

        They are counted, not looked at: a pipeline may have changed text and time.
        """
        pending = self.pending
        for _ in entries:
            self.done = pending.popleft()
        if self.lines is not None:
            self.lines += len(entries)

    @property
    def place(self) -> Place:
        """The place up to which everything is acknowledged."""
        head = self.head
        return Place(self.done, self.inode, len(head), crc32(head), self.lines)


class Trail:
    """The files of one path, oldest first; the last one is, or was, at the path.

    *places* is what was kept of it. Until the first file is found they stand for it.
    *closed* says that all files were read to their end and that there was no other.
    """

    def __init__(self, places: Sequence[Place] = (), *, closed: bool = False) -> None:
        self.kept = tuple(places)
        self.closed = closed
        self._segments: deque[Segment] = deque()

    def begin(
        self, inode: int, offset: int, head: bytes = b"", lines: int | None = None
    ) -> Segment:
        """Append a file that is read from *offset* on, of which *lines* are done."""
        segment = Segment(inode, offset, lines)
        segment.head = head
        segment.stream_key = id(self)
        self._segments.append(segment)
        self.kept = ()
        return segment

    @property
    def begun(self) -> bool:
        """Whether a file of it was found since the start."""
        return bool(self._segments)

    def restart(self) -> None:
        """Let everything that is not acknowledged be read again."""
        self.kept = self.places
        self._segments.clear()

    @property
    def in_flight(self) -> int:
        """How many lines were put and not acknowledged."""
        return sum(len(segment.pending) for segment in self._segments)

    @property
    def waiting_since_ns(self) -> int | None:
        """When the oldest line that is not acknowledged was put; None without one."""
        since = (segment.waiting_since_ns for segment in self._segments)
        return min((at for at in since if at is not None), default=None)

    @property
    def places(self) -> tuple[Place, ...]:
        """What to keep over a restart: every file that is not done, and the last."""
        segments = self._segments
        while len(segments) > 1 and segments[0].ended and not segments[0].pending:
            segments.popleft()
        last = len(segments) - 1
        return self.kept + tuple(
            segment.place
            for number, segment in enumerate(segments)
            if number == last or segment.pending or not segment.ended
        )
