"""A queue of blocks in the files of one folder: append, read on, drop what is done.

Everything here blocks; it is called in the spool's thread (`shipper.spool.volume`).
The files are segments of some MiB with growing numbers, so that the front of the queue
can be deleted while its end grows. A file of an earlier run is never appended to: its
end may be torn.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from .block import (
    HEADER_BYTES,
    BlockError,
    Head,
    check,
    decode_body,
    decode_head,
    parse_header,
)


log = logging.getLogger(__name__)

SEGMENT_BYTES = 4 << 20
"""A segment that has reached this size is closed; it is deleted as a whole."""

SUFFIX = ".blocks"


class Place(NamedTuple):
    """A place in the queue: in the segment of a number, behind so many bytes."""

    segment: int
    offset: int


class Block(NamedTuple):
    """A block as it was read, and the place behind it."""

    head: dict[str, Any]
    body: bytes
    after: Place


class DiskQueue:
    """The segments in *folder*, which is made when the first block comes.

    A block that is damaged is passed over, counted and logged.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._damaged: set[Place] = set()
        self._sizes = {
            number: self._size(number)
            for number in self._numbers()
            if self._is_readable(number)
        }
        self._dirty = False
        self._descriptor: int | None = None
        self._end = Place(max(self._numbers(), default=0) + 1, 0)

    @property
    def damaged(self) -> int:
        """How many blocks were passed over."""
        return len(self._damaged)

    @property
    def end(self) -> Place:
        """The place behind the last block."""
        return self._end

    @property
    def front(self) -> Place:
        """The place of the first block."""
        return Place(min(self._sizes, default=self._end.segment), 0)

    @property
    def size(self) -> int:
        """How many bytes the files hold."""
        return sum(self._sizes.values())

    def append(self, block: bytes) -> Place:
        """Write *block* at the end; return the place behind it.

        Raises OSError; the queue is as before then.
        """
        if self._descriptor is not None and self._end.offset >= SEGMENT_BYTES:
            self.close()
        if self._descriptor is None:
            self._open()
        assert self._descriptor is not None
        number, offset = self._end
        try:
            _write_all(self._descriptor, block)
        except OSError:
            self._undo(self._descriptor, offset)
            raise
        self._end = Place(number, offset + len(block))
        self._sizes[number] = self._end.offset
        self._dirty = True
        return self._end

    def _undo(self, descriptor: int, offset: int) -> None:
        try:
            os.ftruncate(descriptor, offset)
            os.lseek(descriptor, offset, os.SEEK_SET)
        except OSError:  # what is half written is passed over by who reads
            with suppress(OSError):
                self.close()

    def read(self, place: Place) -> Block | None:
        """Return the first whole block from *place* on, None at the end."""
        for number, offset in self._from(place):
            with suppress(FileNotFoundError), open(self._path(number), "rb") as file:
                for header, content, start in self._walk(file, number, offset):
                    after = Place(number, start + header.size)
                    try:
                        head = decode_head(header, content)
                        return Block(head, decode_body(header, content), after)
                    except BlockError as error:
                        self._note(number, start, error)
        return None

    def heads(self) -> Iterator[tuple[Place, dict[str, Any]]]:
        """Yield the place behind and the head of every whole block."""
        for number, offset in self._from(self.front):
            with open(self._path(number), "rb") as file:
                for header, content, start in self._walk(file, number, offset):
                    with suppress(BlockError):
                        after = Place(number, start + header.size)
                        yield after, decode_head(header, content)

    def drop(self, before: int) -> None:
        """Delete the segments with numbers below *before*."""
        for number in [number for number in self._sizes if number < before]:
            with suppress(FileNotFoundError):
                os.unlink(self._path(number))
            del self._sizes[number]

    @property
    def empty(self) -> bool:
        """Whether there is no segment."""
        return not self._sizes

    @property
    def dirty(self) -> bool:
        """Whether something was written that a power cut would take."""
        return self._dirty

    def sync(self) -> None:
        """Have what was written survive a power cut. Raises OSError."""
        if self._descriptor is not None and self._dirty:
            os.fsync(self._descriptor)
            self._dirty = False

    def close(self) -> None:
        """Close the last segment; the next block begins another. Raises OSError."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        self._end = Place(self._end.segment + 1, 0)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def clear(self) -> None:
        """Delete everything, and the folder and the one around it if they are empty."""
        with suppress(OSError):
            self.close()
        self.drop(self._end.segment)
        with suppress(OSError):
            os.rmdir(self.folder)
            os.rmdir(os.path.dirname(self.folder))

    def _from(self, place: Place) -> Iterator[Place]:
        for number in sorted(self._sizes):
            if number >= place.segment:
                yield Place(number, place.offset if number == place.segment else 0)

    def _walk(
        self, file: Any, number: int, offset: int
    ) -> Iterator[tuple[Head, bytes, int]]:
        """Yield header, content and place of every whole block from *offset* on."""
        end = self._sizes[number]
        while offset < end:
            file.seek(offset)
            try:
                header = parse_header(file.read(HEADER_BYTES))
                content = file.read(header.head_bytes + header.body_bytes)
            except BlockError as error:
                self._note(number, offset, error)  # where the next begins is unknown
                return
            start, offset = offset, offset + header.size
            try:
                check(header, content)
            except BlockError as error:
                self._note(number, start, error)
            else:
                yield header, content, start

    def _note(self, number: int, offset: int, error: BlockError) -> None:
        place = Place(number, offset)
        if place not in self._damaged:
            self._damaged.add(place)
            path = self._path(number)
            log.error("%s:%d: a block of the spool is lost: %s", path, offset, error)

    def _open(self) -> None:
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        self._descriptor = os.open(self._path(self._end.segment), flags, 0o600)
        self._sizes[self._end.segment] = 0

    def _numbers(self) -> Iterator[int]:
        with suppress(FileNotFoundError, NotADirectoryError):
            for name in os.listdir(self.folder):
                number = name.removesuffix(SUFFIX)
                if name.endswith(SUFFIX) and number.isdecimal():
                    yield int(number)

    def _is_readable(self, number: int) -> bool:
        """Say whether a file can be read; one that cannot is left alone."""
        try:
            with open(self._path(number), "rb"):
                return True
        except OSError as error:
            log.error("%s: it cannot be read: %s", self._path(number), error.strerror)  # noqa: TRY400  # one line, no traceback
            return False

    def _size(self, number: int) -> int:
        return os.stat(self._path(number)).st_size

    def _path(self, number: int) -> str:
        return os.path.join(self.folder, f"{number:012d}{SUFFIX}")


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
