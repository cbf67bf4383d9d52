"""Read one file wherever its name goes. Blocking: `shipper.files.disk` runs it.

A file is its device and inode, not its path. While it is open it cannot be mistaken;
when it had to be closed (see `Budget`) it is found again by its inode, at its path or,
rotated, beside it. That it was truncated shows in its size or in its first bytes.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

from shipper.files.place import HEAD_BYTES, Place
from shipper.files.seen import Identity, look, seen, siblings


T = TypeVar("T")


class Chunk(NamedTuple):
    """What one read gave. *links* 0: the file has no name any more."""

    data: bytes
    size: int
    links: int
    truncated: bool = False
    """The file begins anew; there is no data, the next read is to be from 0."""
    more: bool = False
    """The next read may give more at once."""
    complete: bool = False
    """What was read ends here by itself: its last line needs no newline."""


class Budget:
    """How many files may stay open between reads; safe to use from several threads."""

    def __init__(self, max_open_files: int) -> None:
        self._left = max_open_files
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Return whether one more file may stay open, and count it if so."""
        with self._lock:
            if self._left <= 0:
                return False
            self._left -= 1
            return True

    def give(self) -> None:
        """Note that a file which was counted is closed."""
        with self._lock:
            self._left += 1


class LogFile:
    """The file *identity*, last seen at *path*; *head* is how it is known to begin."""

    def __init__(
        self, path: str, identity: Identity, budget: Budget, head: bytes = b""
    ) -> None:
        self.path = path
        self.identity = identity
        self.head = head
        self._budget = budget
        self._kept: int | None = None
        self._closing = False
        self._lock = threading.Lock()

    @property
    def beginning(self) -> bytes:
        """The first bytes of what `read` gives, as far as it has given them."""
        return self.head

    def read(self, offset: int, size: int) -> Chunk:
        """Return up to *size* bytes from *offset* on, none at the end of the file.

        Raises FileNotFoundError when the file is neither at its path nor beside it,
        OSError when it cannot be read.
        """
        return self._with_descriptor(partial(self._read, offset, size))

    def look_at_head(self) -> bytes:
        """Return how the file begins; raises as `read`."""
        return self._with_descriptor(lambda file: os.pread(file, HEAD_BYTES, 0))

    def reaches(self, offset: int, size: int) -> bool:
        """Say whether a file of *size* bytes can have been read up to *offset*."""
        return offset <= size

    def unread(self, offset: int, size: int) -> bool:
        """Say whether there is something after *offset* in the file of *size* bytes."""
        return size > offset

    def close(self) -> None:
        """Close the file, if need be when a read that is under way has ended."""
        self._closing = True
        if self._lock.acquire(blocking=False):
            try:
                self._close()
            finally:
                self._lock.release()

    def _with_descriptor(self, use: Callable[[int], T]) -> T:
        with self._lock:
            descriptor = self._kept if self._kept is not None else self._open()
            try:
                return use(descriptor)
            finally:
                self._put_back(descriptor)

    def _put_back(self, descriptor: int) -> None:
        """Keep *descriptor* open if the budget allows, and nobody closed the file."""
        if self._kept is None and not self._closing and self._budget.take():
            self._kept = descriptor
        elif self._kept is None:
            os.close(descriptor)
        elif self._closing:
            self._close()

    def _close(self) -> None:
        if self._kept is not None:
            os.close(self._kept)
            self._kept = None
            self._budget.give()

    def _read(self, offset: int, size: int, descriptor: int) -> Chunk:
        status, fresh = self._look(descriptor)
        if status.st_size < offset or not fresh:
            self.head = b""
            return Chunk(b"", status.st_size, status.st_nlink, truncated=True)
        data = os.pread(descriptor, size, offset)
        more = len(data) == size
        return Chunk(data, status.st_size, status.st_nlink, more=more)

    def _look(self, descriptor: int) -> tuple[os.stat_result, bool]:
        """Return the state of the file, and whether it begins as it did."""
        head = os.pread(descriptor, HEAD_BYTES, 0)
        as_before = head.startswith(self.head)
        if as_before:
            self.head = head
        return os.fstat(descriptor), as_before

    def _open(self) -> int:
        for path in (self.path, *siblings(self.path)):
            try:
                descriptor = _open_if(path, self.identity)
            except (FileNotFoundError, NotADirectoryError):
                continue
            if descriptor is not None:
                return descriptor
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.path)


def _open_if(path: str, identity: Identity) -> int | None:
    """Return a descriptor of the file at *path* if it is *identity*."""
    # A FIFO that took the file's place must not hold the thread up.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    there = look(path)
    if there is None or there.identity != identity:
        return None
    descriptor = os.open(path, flags)
    if seen(os.fstat(descriptor)).identity == identity:
        return descriptor
    os.close(descriptor)
    return None


class OpenFile(Protocol):
    """What makes a `LogFile`: itself, or one that unpacks an archive."""

    def __call__(
        self, path: str, identity: Identity, budget: Budget, head: bytes = b""
    ) -> LogFile:
        """Return the file *identity*, last seen at *path*, beginning with *head*."""


def recognise(
    path: str, place: Place, budget: Budget, open_file: OpenFile = LogFile
) -> LogFile | None:
    """Return the file of *place*, which was at *path*, if it is still there.

    It has the same inode, begins with the same bytes and is not shorter.
    """
    for candidate in (path, *siblings(path)):
        try:
            found = look(candidate)
            if found is None or found.identity.inode != place.inode:
                continue
            file = open_file(candidate, found.identity, budget)
            file.head = file.look_at_head()
        except OSError:
            continue
        if place.describes(file.head) and file.reaches(place.offset, found.size):
            file.path = path
            return file
        file.close()
    return None
