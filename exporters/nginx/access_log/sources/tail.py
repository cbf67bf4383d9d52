"""One open log file: what was written to it since the last look.

Counterpart of nxadm/tail, which prometheus-nginxlog-exporter uses. Unlike it, a file
that was moved or deleted is read on, for nginx writes to it until it is told to reopen
its logs (SIGUSR1), and a file that was emptied and has grown past the old position
between two looks is recognised by what was read last.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import Final

from exporters.nginx.access_log.sources.splitter import Splitter


Identity = tuple[int, int]
"""Device and inode: the same file, whatever its name is."""

_REMEMBERED_BYTES: Final = 64
# How far back the beginning of a line is looked for in a file that is there at start.
_BACK_BYTES: Final = 65536


def identity_of(status: os.stat_result) -> Identity:
    """Return what tells the file of *status* from any other."""
    return status.st_dev, status.st_ino


class NotALogError(Exception):
    """Say what kind of file was found instead of one to follow."""


class Tail:
    """The file at *path*, from its beginning or *from_end*.

    From its end means from the beginning of the line that is written at the moment.
    Raises OSError, and NotALogError for what is neither a file nor a named pipe.
    """

    def __init__(self, path: str, *, from_end: bool) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(self._fd)
            self.is_pipe = stat.S_ISFIFO(status.st_mode)
            _check(status)
            self.identity = identity_of(status)
            self.truncated = 0
            self.unread = 0  # bytes, as of the last look
            self._splitter = Splitter()
            self._offset = 0
            self._last = b""  # what stands in front of the offset
            self._changed_at = 0
            if from_end and not self.is_pipe:
                self._to_last_line(status.st_size)
        except BaseException:
            os.close(self._fd)
            raise

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def read(self, limit: int) -> tuple[int, list[bytes]]:
        """Return how much was read, at most *limit* bytes, and its whole lines.

        With a limit of 0 it only looks how much waits.
        """
        data = self._read_pipe(limit) if self.is_pipe else self._read_file(limit)
        return len(data), self._splitter.feed(data) if data else []

    def _read_pipe(self, limit: int) -> bytes:
        with contextlib.suppress(BlockingIOError):
            return os.read(self._fd, limit)
        return b""

    def _read_file(self, limit: int) -> bytes:
        status = os.fstat(self._fd)
        size = status.st_size
        if size < self._offset or (
            size == self._offset and self._is_other(status.st_mtime_ns)
        ):
            self._start_over()
        self.unread = size - self._offset
        if not self.unread or not limit:
            return b""
        known = len(self._last)
        data = os.pread(self._fd, known + limit, self._offset - known)
        if data[:known] != self._last:
            self._start_over()
            known, data = 0, os.pread(self._fd, limit, 0)
        new = data[known:]
        self._offset += len(new)
        self.unread = max(0, size - self._offset)
        self._last = data[-_REMEMBERED_BYTES:]
        return new

    def _is_other(self, changed_at: int) -> bool:
        """Say whether the file is as long as it was, but another since *changed_at*."""
        if changed_at == self._changed_at:
            return False
        self._changed_at = changed_at
        known = len(self._last)
        return os.pread(self._fd, known, self._offset - known) != self._last

    def _start_over(self) -> None:
        self.truncated += 1
        self._offset, self._last = 0, b""
        self._splitter.clear()

    def _to_last_line(self, size: int) -> None:
        start = max(0, size - _BACK_BYTES)
        data = os.pread(self._fd, size - start, start)
        end = data.rfind(b"\n") + 1
        if not end and start:  # a line longer than that: its rest is no line
            end = len(data)
        self._offset = start + end
        self._last = data[:end][-_REMEMBERED_BYTES:]


def _check(status: os.stat_result) -> None:
    mode = status.st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)) or _is_our_own(status):
        raise NotALogError("expected a file that nginx writes to")


def _is_our_own(status: os.stat_result) -> bool:
    """Say whether it is where this program writes: ``access.log -> /dev/stdout``.

    So it is in the official image. Reading that pipe would take our own log away.
    """
    for number in (1, 2):
        with contextlib.suppress(OSError):
            if identity_of(os.fstat(number)) == identity_of(status):
                return True
    return False
