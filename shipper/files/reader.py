"""Read one file wherever its name goes. Blocking: `shipper.files.disk` runs it.

A file is its device and inode, not its path. While it is open it cannot be mistaken;
when it had to be closed (see `Budget`) it is found again by its inode, at its path or,
rotated, beside it. That it was truncated shows in its size or in its first bytes.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shipper.files.place import HEAD_BYTES, Place


MAX_SIBLINGS = 10_000
"""Names looked at in a directory to find a rotated file."""


class Identity(NamedTuple):
    """What a file is, whatever it is called."""

    device: int
    inode: int


class Seen(NamedTuple):
    """A regular file as `os.stat` shows it."""

    identity: Identity
    size: int
    mtime_ns: int


class Chunk(NamedTuple):
    """What one read gave. *links* 0: the file has no name any more."""

    data: bytes
    size: int
    links: int
    truncated: bool
    """The file begins anew; there is no data, the next read is to be from 0."""


def look(path: str) -> Seen | None:
    """Return what file is at *path*, None when there is no regular file.

    Raises OSError for anything but a missing file.
    """
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _seen(status) if stat.S_ISREG(status.st_mode) else None


def look_all(paths: Sequence[str]) -> list[Seen | OSError | None]:
    """Return `look` of each of *paths*, errors as values. 2 us a path."""
    found: list[Seen | OSError | None] = []
    for path in paths:
        try:
            found.append(look(path))
        except OSError as error:
            found.append(error)
    return found


def _seen(status: os.stat_result) -> Seen:
    identity = Identity(status.st_dev, status.st_ino)
    return Seen(identity, status.st_size, status.st_mtime_ns)


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

    def read(self, offset: int, size: int) -> Chunk:
        """Return up to *size* bytes from *offset* on, none at the end of the file.

        Raises FileNotFoundError when the file is neither at its path nor beside it,
        OSError when it cannot be read.
        """
        with self._lock:
            chunk = self._read(offset, size)
        if self._closing:
            self.close()
        return chunk

    def close(self) -> None:
        """Close the file, if need be when a read that is under way has ended."""
        self._closing = True
        if self._lock.acquire(blocking=False):
            try:
                if self._kept is not None:
                    os.close(self._kept)
                    self._kept = None
                    self._budget.give()
            finally:
                self._lock.release()

    def _read(self, offset: int, size: int) -> Chunk:
        descriptor = self._kept if self._kept is not None else self._open()
        try:
            status = os.fstat(descriptor)
            head = os.pread(descriptor, HEAD_BYTES, 0)
            if status.st_size < offset or not head.startswith(self.head):
                self.head = b""
                return Chunk(b"", status.st_size, status.st_nlink, truncated=True)
            self.head = head
            data = os.pread(descriptor, size, offset)
            return Chunk(data, status.st_size, status.st_nlink, truncated=False)
        finally:
            if self._kept is None:
                if self._budget.take():
                    self._kept = descriptor
                else:
                    os.close(descriptor)

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
    seen = look(path)
    if seen is None or seen.identity != identity:
        return None
    descriptor = os.open(path, flags)
    if _seen(os.fstat(descriptor)).identity == identity:
        return descriptor
    os.close(descriptor)
    return None


def siblings(path: str) -> Iterator[str]:
    """Yield the files beside *path*, and beside what it links to: rotated ones."""
    directories = (os.path.dirname(path), os.path.dirname(os.path.realpath(path)))
    for directory in dict.fromkeys(directories):
        try:
            with os.scandir(directory) as entries:
                for _, entry in zip(range(MAX_SIBLINGS), entries, strict=False):
                    yield entry.path
        except OSError:
            continue


def recognise(path: str, place: Place, budget: Budget) -> LogFile | None:
    """Return the file of *place*, which was at *path*, if it is still there.

    It has the same inode, begins with the same bytes and is not shorter.
    """
    for candidate in (path, *siblings(path)):
        try:
            seen = look(candidate)
            if seen is None or seen.identity.inode != place.inode:
                continue
            file = LogFile(path, seen.identity, budget)
            file.path = candidate
            head = file.read(0, HEAD_BYTES).data
        except OSError:
            continue
        if place.describes(head) and seen.size >= place.offset:
            file.path = path
            return file
        file.close()
    return None
