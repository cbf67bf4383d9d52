"""What files there are, as `os.stat` says. Blocking: `shipper.files.disk` runs it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from typing import NamedTuple


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


def look(path: str) -> Seen | None:
    """Return what file is at *path*, None when there is no regular file.

    Raises OSError for anything but a missing file.
    """
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return seen(status) if stat.S_ISREG(status.st_mode) else None


def look_all(paths: Sequence[str]) -> list[Seen | OSError | None]:
    """Return `look` of each of *paths*, errors as values. 2 us a path."""
    found: list[Seen | OSError | None] = []
    for path in paths:
        try:
            found.append(look(path))
        except OSError as error:
            found.append(error)
    return found


def seen(status: os.stat_result) -> Seen:
    """Return what *status*, of a regular file, says."""
    identity = Identity(status.st_dev, status.st_ino)
    return Seen(identity, status.st_size, status.st_mtime_ns)


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
