"""Lines that nobody can give again (syslog, stdin): kept in the spool over a stop.

What Loki had not taken when the program stopped is put again after the start, with the
times and labels that it had; it is deleted when Loki has all of it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence

from .pipeline.entry import Entry, Labels, Sink
from .spool.block import encode_block
from .spool.queue import DiskQueue
from .spool.volume import Volume


log = logging.getLogger(__name__)

BLOCK_LINES = 1000

LeftOver = tuple[Labels, Entry]


class _Count:
    """A cursor that counts."""

    def __init__(self) -> None:
        self.put = 0
        self.acknowledged = 0
        self.ended = False

    def acknowledge(self, entries: Sequence[Entry]) -> None:
        self.acknowledged += len(entries)


class Leftovers:
    """The queue of them in *volume*, of which it is a `Member`."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._queue: DiskQueue = volume.queue("others")
        self._new = self._queue.end.segment  # what is saved from now on stays
        self._count = _Count()
        volume.join(self)

    async def save_lines(self, lines: Sequence[LeftOver]) -> int:
        """Keep *lines*; return how many could be."""
        for start in range(0, len(lines), BLOCK_LINES):
            some = lines[start : start + BLOCK_LINES]
            block = encode_block({"lines": len(some)}, pack(some))
            if not await self._volume.append(self._queue, block):
                return start
        return len(lines)

    async def put_again(self, sink: Sink) -> None:
        """Put what is there into *sink*, in the order in which it was kept."""
        place = self._queue.front
        while block := await self._volume.call(self._queue.read, place):
            for labels, entry in unpack(block.body):
                self._count.put += 1
                await sink.put(labels, entry, self._count)
            place = block.after
        self._count.ended = True
        self._volume.stir(self)

    @property
    def at_rest(self) -> bool:
        """Whether `tick` has nothing to do."""
        return not self._count.ended

    async def tick(self) -> None:
        """Delete what was put again, when all of it is acknowledged."""
        count = self._count
        if count.ended and count.acknowledged == count.put:
            count.ended = False
            await self._volume.drop(self._queue, self._new)

    async def save(self) -> None:
        """Delete what is acknowledged; what is not stays."""
        await self.tick()


def pack(lines: Iterable[LeftOver]) -> bytes:
    """Return *lines* as bytes."""
    texts = (
        json.dumps([entry.timestamp_ns, _text(entry.line), labels, entry.metadata])
        for labels, entry in lines
    )
    return "\n".join(texts).encode()


def unpack(data: bytes) -> Iterable[LeftOver]:
    """Yield what `pack` packed."""
    for text in data.splitlines():
        timestamp_ns, line, labels, metadata = json.loads(text)
        entry = Entry(timestamp_ns, _bytes(line), _pairs(metadata))
        yield _pairs(labels), entry


def _text(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _pairs(pairs: Iterable[Sequence[str]]) -> Labels:
    return tuple((name, value) for name, value in pairs)
