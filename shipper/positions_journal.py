"""Keep what changed since the last save of the positions: a kill forgets little.

Beside the file of `shipper.positions`, one record a line:

    <crc32> {"sha256": "<of the bytes of the file that the changes are of>"}
    <crc32> {"<key>": "<value>", "<key taken out>": null}

A checksum goes on from the one of the line before: a line counts only where it was
written. Nothing is fsynced. A killed process loses nothing by that; a power cut may
take what was acknowledged since the last save, as it would without a journal.

promtail does not know the journal. When it, or anybody else, rewrote the file in
between, the journal is not of that file any more and is ignored.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from zlib import crc32


log = logging.getLogger(__name__)

SUFFIX = ".journal"

MAX_BYTES = 1 << 20
"""A longer journal is never written: the whole file is saved instead."""

_DIGITS = 8
_LINE = b"%08x %s\n"

Changes = Mapping[str, str | None]
"""Entries by key; None takes one out."""


class JournalError(Exception):
    """A journal cannot be used from some place on; says which and why."""


def record(document: Changes, checksum: int) -> tuple[bytes, int]:
    """Return the line for *document* behind one with *checksum*, and its own."""
    text = json.dumps(document, separators=(",", ":")).encode()
    checksum = crc32(text, checksum)
    return _LINE % (checksum, text), checksum


def header(data: bytes) -> dict[str, str]:
    """Return the first record of the journal of a file whose bytes are *data*."""
    return {"sha256": hashlib.sha256(data).hexdigest()}


def records(journal: bytes) -> Iterator[Changes]:
    """Yield every record up to the first that is not as it was written.

    Raises JournalError there.
    """
    checksum, offset = 0, 0
    while offset < len(journal):
        end = journal.find(b"\n", offset) + 1 or len(journal)
        line = journal[offset:end]
        text = line[_DIGITS + 1 : -1]
        checksum = crc32(text, checksum)
        changes = _changes(text) if line == _LINE % (checksum, text) else None
        if changes is None:
            raise JournalError(f"damaged at byte {offset}, ignored from there on")
        yield changes
        offset = end


def _changes(text: bytes) -> Changes | None:
    """Return the record that *text* is; None when it is none."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    known = all(isinstance(value, str | None) for value in document.values())
    return document if known else None


def replay(journal: bytes, data: bytes, entries: dict[str, str]) -> int:
    """Apply *journal* to the *entries* of the file *data*; return how many records.

    Raises JournalError when it is of another file, then nothing is applied, or when it
    is damaged, then all that comes before is.
    """
    count = -1
    for count, changes in enumerate(records(journal)):
        if count == 0:
            if changes != header(data):
                raise JournalError("of another file of positions, ignored")
            continue
        _apply(changes, entries)
    return max(count, 0)


def _apply(changes: Changes, entries: dict[str, str]) -> None:
    for key, value in changes.items():
        if value is None:
            entries.pop(key, None)
        else:
            entries[key] = value


def recover(path: str, data: bytes, entries: dict[str, str]) -> None:
    """Apply the journal *path* to the *entries* of the file *data*; never raises."""
    try:
        with open(path, "rb") as file:
            count = replay(file.read(MAX_BYTES), data, entries)
    except FileNotFoundError:
        return
    except (OSError, JournalError) as error:
        log.warning("%s: %s", path, error)
        return
    log.info(
        "positions go on where the journal ends",
        extra={"fields": {"path": path, "records": count}},
    )


class Journal:
    """The journal that is written, and what the disk knows with it.

    One thread calls it at a time; nothing is written before the first `begin`.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._begun = False
        self._kept: Mapping[str, str] = {}
        self._head = b""
        self._checksum = 0
        self._size = 0

    @property
    def empty(self) -> bool:
        """Whether the file of positions says it all."""
        return not self._size

    def begin(self, data: bytes, entries: Mapping[str, str]) -> None:
        """Start anew: *data* is what the file is now, *entries* what it says."""
        self._head, self._checksum = record(header(data), 0)
        self._kept = entries
        self._size = 0
        self._begun = True
        # One that cannot be removed is of another file now: it is ignored.
        with suppress(OSError):
            os.unlink(self.path)

    def append(self, entries: Mapping[str, str]) -> bool:
        """Write how *entries* differ from what the disk knows.

        Return False when the whole file must be saved instead. Raises OSError; the
        same differences are written the next time then.
        """
        changes = _difference(self._kept, entries)
        if not self._begun or not changes:
            return self._begun
        line, checksum = record(changes, self._checksum)
        text = line if self._size else self._head + line
        if self._size + len(text) > MAX_BYTES:
            return False
        if not self._write(text):
            self._begun = False
            return False
        self._kept, self._checksum = entries, checksum
        self._size += len(text)
        return True

    def _write(self, text: bytes) -> bool:
        """Write *text* behind what was written; return False when that is gone."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600)
        with open(descriptor, "wb") as file:
            size = os.fstat(descriptor).st_size
            if size < self._size:
                return False
            if size > self._size:
                # A record that the disk had no room for, or a journal of before.
                os.ftruncate(descriptor, self._size)
            file.seek(self._size)
            file.write(text)
        return True


def _difference(before: Mapping[str, str], after: Mapping[str, str]) -> Changes:
    changes: dict[str, str | None] = dict.fromkeys(before.keys() - after.keys())
    changes.update(
        (key, value) for key, value in after.items() if before.get(key) != value
    )
    return changes
