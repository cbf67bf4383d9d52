"""Write a backup: a tar file whose parts are as long as they turn out to be.

The name appears last, when everything is on the disk: what is so called is whole.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from deploy.stack.backup.manifest import SUMS, Part
from deploy.stack.backup.packing import pack
from deploy.stack.shell import StackError


BLOCK = tarfile.BLOCKSIZE
PARTIAL = ".partial"


class Writer:
    """An archive that is being written to *file*, which can seek."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._sums: list[str] = []

    def add_packed(self, name: str, chunks: Iterable[bytes]) -> Part:
        """Add *chunks*, packed, as the part *name*."""
        unpacked = 0

        def counted() -> Iterator[bytes]:
            nonlocal unpacked
            for chunk in chunks:
                unpacked += len(chunk)
                yield chunk

        size, sha256 = self.add(name, pack(counted()))
        return Part(name, size, unpacked, sha256)

    def add(self, name: str, chunks: Iterable[bytes]) -> tuple[int, str]:
        """Add *chunks* as the member *name*; return its size and hash."""
        start = self._file.tell()
        self._file.write(bytes(BLOCK))
        digest = hashlib.sha256()
        for chunk in chunks:
            digest.update(chunk)
            self._file.write(chunk)
        end = self._file.tell()
        size = end - start - BLOCK
        self._file.write(bytes(-size % BLOCK))
        # The header says the size, which nobody knew before.
        after = self._file.tell()
        self._file.seek(start)
        self._file.write(header(name, size))
        self._file.seek(after)
        self._sums.append(f"{digest.hexdigest()}  {name}\n")
        return size, digest.hexdigest()

    def finish(self) -> None:
        """Add the list of hashes, as sha256sum reads it, and the end mark of tar."""
        self.add(SUMS, [text.encode() for text in self._sums])
        self._file.write(bytes(2 * BLOCK))


def header(name: str, size: int) -> bytes:
    """Return the header of a member; GNU's form holds any size in its one block."""
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o600
    member.mtime = int(time.time())
    return member.tobuf(tarfile.GNU_FORMAT)


@contextmanager
def written(path: Path) -> Iterator[Writer]:
    """Write the archive *path*, that only its owner reads, whole or not at all."""
    partial = path.with_name(f".{path.name}{PARTIAL}")
    try:
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w+b") as file:
            writer = Writer(file)
            yield writer
            writer.finish()
            file.flush()
            os.fsync(descriptor)
        partial.rename(path)
        sync(path.parent)
    except OSError as error:
        named = Path(error.filename or partial)
        what = path if named == partial else named
        raise StackError(f"{what}: {error.strerror}: nothing was kept") from error
    finally:
        partial.unlink(missing_ok=True)


def sync(folder: Path) -> None:
    """Have the names in *folder* on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
