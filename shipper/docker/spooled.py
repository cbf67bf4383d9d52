"""What the blocks of a container's queue say of their lines, and what a queue holds.

Pure, but for `scan`, which reads.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Self

from shipper.docker.marks import format_mark, parse_mark
from shipper.docker.progress import Mark, Position
from shipper.pipeline.entry import Entry
from shipper.spool.queue import DiskQueue


log = logging.getLogger(__name__)

Numbers = dict[int, int]
"""A number of a line for each stream."""

Discovered = Mapping[str, str]


class Head(NamedTuple):
    """The head of a block.

    *first* are the numbers of its first line of each stream (what it would be, of one
    without), *last* those of its last lines, *marks* the places behind them.
    *since_ns* is the time of its last line, *oldest_ns* of its first, *discovered* the
    labels of the container before the rules, None when they are as before.
    """

    first: Numbers
    last: Numbers
    marks: Mapping[int, Mark]
    since_ns: int
    oldest_ns: int
    discovered: Discovered | None

    def as_json(self) -> dict[str, Any]:
        """Return it as a map for JSON."""
        head = self._asdict()
        head["marks"] = {stream: format_mark(at) for stream, at in self.marks.items()}
        if self.discovered is None:
            del head["discovered"]
        else:
            head["discovered"] = dict(self.discovered)
        return head

    @classmethod
    def parse(cls, head: Mapping[str, Any]) -> Self:
        """Return what `as_json` made; ValueError when it is something else."""
        try:
            last = _numbers(head["last"])
            marks = {int(k): parse_mark(text) for k, text in head["marks"].items()}
            return cls(
                first=_numbers(head["first"]),
                last=last,
                marks={k: replace(at, number=last[k]) for k, at in marks.items()},
                since_ns=int(head["since_ns"]),
                oldest_ns=int(head["oldest_ns"]),
                discovered=head.get("discovered"),
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(
                f"expected the head of a container's block: {error!r}"
            ) from error


@dataclass(slots=True)
class Spooled:
    """What was found in a queue at the start."""

    discovered: Discovered = field(default_factory=dict)
    done: Numbers = field(default_factory=dict)
    """The numbers before the first lines."""
    last: Numbers = field(default_factory=dict)
    marks: dict[int, Mark] = field(default_factory=dict)
    segments: dict[int, Numbers] = field(default_factory=dict)
    """The numbers of the last lines in each segment."""
    since_ns: int = 0
    oldest_ns: int | None = None

    @property
    def read(self) -> Position:
        """The place up to which the log was read."""
        return Position(self.since_ns, self.marks)

    def add(self, segment: int, head: Head) -> None:
        """Take in a block of *segment*, which comes behind the others."""
        if not self.segments:
            self.oldest_ns = head.oldest_ns
        for stream, number in head.first.items():
            self.done.setdefault(stream, number - 1)
        self.last = dict(head.last)
        self.marks = dict(head.marks)
        self.segments[segment] = self.last
        self.since_ns = head.since_ns
        if head.discovered is not None:
            self.discovered = head.discovered


def scan(queue: DiskQueue) -> Spooled:
    """Return what *queue* holds; every block is read and checked. It blocks."""
    found = Spooled()
    for place, fields in queue.heads():
        if (head := read_head(queue, fields)) is not None:
            found.add(place.segment, head)
    return found


def read_head(queue: DiskQueue, fields: Mapping[str, Any]) -> Head | None:
    """Return the head that *fields* are; None, and a line in the log, if they are none.

    Another release may have written the block.
    """
    try:
        return Head.parse(fields)
    except ValueError as error:
        log.error("%s: a block of the spool is passed over: %s", queue.folder, error)  # noqa: TRY400  # one line, no traceback
        return None


def advance(
    mark: Mark | None, lines: Sequence[tuple[Entry, int]], number: int
) -> Mark | None:
    """Return the place behind *lines*, the last of which has *number*.

    They follow *mark*; each has its checksum beside it.
    """
    moving = [(entry[0], checksum) for entry, checksum in lines if checksum >= 0]
    if not moving:
        return mark and replace(mark, number=number)
    time = moving[-1][0]
    high_ns = max(stamp for stamp, _ in moving)
    first = len(moving)
    while first and moving[first - 1][0] == time:
        first -= 1
    checksums = tuple(checksum for _, checksum in moving[first:])
    if mark is not None:
        high_ns = max(high_ns, mark.high_ns)
        if not first and mark.timestamp_ns == time:
            checksums = (*mark.checksums, *checksums)
    return Mark(time, checksums, high_ns, number)


def _numbers(numbers: Mapping[str, Any]) -> Numbers:
    return {int(stream): int(number) for stream, number in numbers.items()}
