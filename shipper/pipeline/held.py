"""Blocks of lines that a stage keeps back until the rest has come (multiline, cri)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any

from .record import Record
from .stage import Emit
from .text import to_bytes, to_text


MAX_SIZE = 32 * 1024 * 1024
"""Characters that one stage keeps back at most."""

Key = tuple[Any, ...]


class Block:
    """Lines that are to become one; *record* is the one that will bear them."""

    __slots__ = ("lines", "record", "size", "touched_at")

    def __init__(self, record: Record, now: float) -> None:
        self.record = record
        self.lines = [record.line]
        self.size = len(record.line)
        self.touched_at = now

    def joined(self, separator: str) -> Record:
        """Return the record with all lines as its line.

        A character whose bytes were cut apart is whole again.
        """
        if len(self.lines) > 1:
            text = separator.join(self.lines)
            whole = text.isascii()
            self.record.line = text if whole else to_text(to_bytes(text))
        return self.record


class Held:
    """Blocks by stream, the one that was silent for the longest first.

    A block is due *wait_seconds* after its last line; together they have at most
    *max_size* characters: beyond that the first ones have to go.
    """

    def __init__(self, wait_seconds: float, max_size: int = MAX_SIZE) -> None:
        self._wait = wait_seconds
        self._max_size = max_size
        self._blocks: OrderedDict[Key, Block] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._blocks)

    def get(self, key: Key) -> Block | None:
        """Return the block of the stream *key*, if there is one."""
        return self._blocks.get(key)

    def start(self, key: Key, record: Record, now: float) -> Block:
        """Keep *record* as the first line of the stream, which has no block."""
        block = self._blocks[key] = Block(record, now)
        self._size += block.size
        return block

    def add(self, key: Key, line: str, now: float) -> None:
        """Add *line* to the block of the stream, which has one."""
        block = self._blocks[key]
        block.lines.append(line)
        block.size += len(line)
        block.touched_at = now
        self._size += len(line)
        self._blocks.move_to_end(key)

    def take(self, key: Key) -> Block | None:
        """Return the block of the stream and keep it no longer."""
        block = self._blocks.pop(key, None)
        if block is not None:
            self._size -= block.size
        return block

    def deadline(self) -> float | None:
        """Return when the first block is due."""
        for block in self._blocks.values():
            return block.touched_at + self._wait
        return None

    def due(self, now: float | None) -> Iterator[Block]:
        """Take what is due at *now*; everything when that is None."""
        while (at := self.deadline()) is not None and (now is None or at <= now):
            yield self._first()

    def excess(self) -> Iterator[Block]:
        """Take the first blocks until the others fit."""
        while self._size > self._max_size:
            yield self._first()

    def _first(self) -> Block:
        _, block = self._blocks.popitem(last=False)
        self._size -= block.size
        return block


class Joiner(ABC):
    """A stage that keeps blocks back and hands them on as one record each."""

    _emit: Emit

    def __init__(self, wait_seconds: float) -> None:
        self._held = Held(wait_seconds)

    def wrap(self, emit: Emit) -> Emit:
        """Join in front of *emit*."""
        self._emit = emit
        return self._step

    def deadline(self) -> float | None:
        """Return when the block that was silent for the longest has to go."""
        return self._held.deadline()

    def release(self, now: float | None) -> None:
        """Hand on the blocks that were silent for too long; all when *now* is None."""
        self._hand_on(self._held.due(now))

    @abstractmethod
    def _step(self, record: Record) -> None:
        """Hand *record* on or keep it."""

    @abstractmethod
    def _whole(self, block: Block) -> Record:
        """Return the record that *block* becomes."""

    def _finish(self, key: Key) -> None:
        """Hand on the block of the stream *key*, if there is one."""
        block = self._held.take(key)
        if block is not None:
            self._emit(self._whole(block))

    def _make_room(self) -> None:
        """Hand on the first blocks if all together are too large."""
        self._hand_on(self._held.excess())

    def _hand_on(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            self._emit(self._whole(block))
