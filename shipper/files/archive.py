"""Read what a compressed file holds, as if it were a plain one. Blocking.

A file is unpacked as a stream: what is read next is unpacked next, and to go back
means to begin again. A file that grows is unpacked further when it does; where it
breaks off its text waits for more.
"""

from __future__ import annotations

import errno
import os

from shipper.files.reader import Budget, Chunk, LogFile
from shipper.files.seen import Identity
from shipper.files.unpack import Format, Unpacker, UnpackError


INPUT_BYTES = 16 * 1024
SKIP_BYTES = 4 * 1024 * 1024
"""How much is unpacked at once to come to where reading goes on."""

BEGINNING_BYTES = 16


class ArchiveFile(LogFile):
    """A `LogFile` whose offsets count unpacked bytes."""

    def __init__(
        self,
        path: str,
        identity: Identity,
        budget: Budget,
        head: bytes = b"",
        *,
        form: Format = "gz",
    ) -> None:
        super().__init__(path, identity, budget, head)
        self._form = form
        self._beginning = b""
        self._broken: tuple[str, int, int] | None = None
        """What is wrong with the file as long as it has this size and time."""
        self._bytewise_from: int | None = None
        self._begin()

    @property
    def beginning(self) -> bytes:
        """The first bytes of what `read` gives, as far as it has given them."""
        return self._beginning

    def reaches(self, offset: int, size: int) -> bool:
        """Say that any file may unpack to *offset* bytes, but not an empty one."""
        return size > 0 or offset == 0

    def unread(self, offset: int, size: int) -> bool:  # noqa: ARG002  # the end says it
        """Say whether the file was not unpacked to its end."""
        return not self._unpacker.complete

    def _begin(self) -> None:
        self._unpacker = Unpacker(self._form)
        self._taken = 0
        self._given = 0

    def _read(self, offset: int, size: int, descriptor: int) -> Chunk:
        status, as_before = self._look(descriptor)
        if status.st_size < self._taken or not as_before:
            self.head = self._beginning = b""
            self._bytewise_from = self._broken = None
            self._begin()
            return Chunk(b"", status.st_size, status.st_nlink, truncated=True)
        self._raise_if_broken(status)
        if offset < self._given:
            self._begin()
        try:
            data, more = self._unpack(descriptor, offset, size)
        except UnpackError as error:
            self._break(str(error), status)
            data, more = b"", True
        complete = self._unpacker.complete and not more
        return Chunk(
            data, status.st_size, status.st_nlink, more=more, complete=complete
        )

    def _unpack(self, descriptor: int, offset: int, size: int) -> tuple[bytes, bool]:
        """Return up to *size* bytes from *offset* on, and whether more may follow."""
        skipped = 0
        while self._given < offset:
            wanted = min(offset - self._given, SKIP_BYTES - skipped)
            if not wanted:
                return b"", True
            data = self._pull(descriptor, wanted)
            if not data:
                return b"", False
            skipped += len(data)
        return self._collect(descriptor, size)

    def _collect(self, descriptor: int, size: int) -> tuple[bytes, bool]:
        unpacked = bytearray()
        try:
            while len(unpacked) < size:
                data = self._pull(descriptor, size - len(unpacked))
                if not data:
                    return bytes(unpacked), False
                unpacked += data
        except UnpackError:
            if not unpacked:
                raise
        return bytes(unpacked), True

    def _pull(self, descriptor: int, limit: int) -> bytes:
        while not (data := self._unpacker.pull(limit)):
            packed = os.pread(descriptor, self._step(), self._taken)
            if not packed:
                return b""
            self._taken += len(packed)
            self._unpacker.push(packed)
        if self._given == len(self._beginning) < BEGINNING_BYTES:
            self._beginning += data[: BEGINNING_BYTES - self._given]
        self._given += len(data)
        return data

    # Where the bytes are damaged

    def _step(self) -> int:
        start = self._bytewise_from
        if start is None or self._taken < start:
            room = INPUT_BYTES if start is None else start - self._taken
            return min(INPUT_BYTES, room)
        return 1

    def _break(self, problem: str, status: os.stat_result) -> None:
        """Begin again, to get all that comes before the damage; then report it."""
        if self._bytewise_from is None:
            self._bytewise_from = max(0, self._taken - INPUT_BYTES)
        else:
            self._broken = (problem, status.st_size, status.st_mtime_ns)
        self._begin()

    def _raise_if_broken(self, status: os.stat_result) -> None:
        if self._broken is None:
            return
        problem, *state = self._broken
        if state == [status.st_size, status.st_mtime_ns]:
            raise OSError(errno.EBADMSG, problem, self.path)
        self._broken = self._bytewise_from = None
