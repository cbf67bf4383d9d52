"""Keep what was read, over restarts, in promtail's own file.

promtail must be able to go on from this file and we from its: a YAML map
``positions:`` of strings (promtail pkg positions). Entries of others are kept as found.

Written to a temporary file, fsynced, renamed, the directory fsynced; the file before
stays beside it with ``.previous``, and what changes between two saves with ``.journal``
(`shipper.positions_journal`). Whatever is wrong with a file at start, the shipper
starts: from the previous one, else from nothing, with an ERROR line saying so.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from operator import is_

import yaml

from .positions_journal import SUFFIX, Journal, recover


log = logging.getLogger(__name__)

PREVIOUS = ".previous"

JOURNAL_SECONDS = 0.5
"""How often what changed goes to the journal: so much is sent again after a kill.

With 200 containers a tick costs 6 ms of CPU and a record of 60 KB when all of them
log, and next to nothing when none does. Nearly all of it is asking the sources.
"""

Source = Callable[[], Mapping[str, str | None]]
"""Gives at least the entries that changed since it was last asked; None takes one out.

What it said is kept: it need not say it again. The same object again says that nothing
changed since.
"""


class PositionsError(Exception):
    """A file of positions is not what it should be; says what was expected."""


def parse(data: bytes, path: str) -> dict[str, str]:
    """Return the entries of a file of positions.

    Raises PositionsError for anything but a map of strings under ``positions``.
    Nothing at all (an empty file, as promtail accepts it) has no entries.
    """
    try:
        document = yaml.load(data, yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise PositionsError(f"{path}: not YAML: {reason}") from error
    if document is None:
        return {}
    positions = document.get("positions", {}) if isinstance(document, dict) else None
    if positions is None and isinstance(document, dict):
        return {}
    if not isinstance(positions, dict):
        raise PositionsError(f"{path}: expected a map 'positions'")
    return {str(key): str(value) for key, value in positions.items()}


def serialise(entries: Mapping[str, str]) -> bytes:
    """Return *entries* as promtail reads them, sorted, every string quoted."""
    if not entries:
        return b"positions: {}\n"
    lines = [f"  {_quote(key)}: {_quote(entries[key])}" for key in sorted(entries)]
    return ("positions:\n" + "\n".join(lines) + "\n").encode()


def _quote(text: str) -> str:
    """Return *text* as a YAML double-quoted scalar, which JSON's strings are."""
    return json.dumps(text, ensure_ascii=False)


def load(path: str) -> dict[str, str]:
    """Return the entries kept in *path*, or in its previous copy; never raises.

    The journal of the one that is taken is applied.
    """
    for candidate in (path, path + PREVIOUS):
        try:
            with open(candidate, "rb") as file:
                data = file.read()
            entries = parse(data, candidate)
        except FileNotFoundError:
            continue
        except (OSError, PositionsError) as error:
            log.error("positions are unreadable, trying what was before: %s", error)  # noqa: TRY400  # one line, no traceback
            continue
        if candidate != path:
            log.error("positions taken from the previous copy %s", candidate)
        recover(path + SUFFIX, data, entries)
        return entries
    return {}


def store(path: str, data: bytes) -> None:
    """Replace the file *path* by *data* so that a crash leaves the old or the new.

    Raises OSError; the file is as before then.
    """
    temporary = f"{path}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        _keep_previous(path)
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    directory = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _keep_previous(path: str) -> None:
    """Give the file that is about to be replaced a second name."""
    previous = path + PREVIOUS
    with suppress(FileNotFoundError):
        os.unlink(previous)
    try:
        os.link(path, previous)
    except FileNotFoundError:
        return
    except OSError:
        # No hard links here (vfat, some network file systems): for an instant there
        # is only the previous copy, which `load` finds.
        with suppress(FileNotFoundError):
            os.replace(path, previous)


class Positions:
    """The file, its entries, and who changes them.

    Sources are asked before everything that is written. Where two give the same key as
    numbers the smaller one is kept: to read again is better than to lose.
    """

    def __init__(
        self,
        path: str,
        *,
        sync_seconds: float = 10.0,
        failed: Callable[[], object] | None = None,
    ) -> None:
        """Keep them in *path*; *failed* is told whenever `failures` grows."""
        self.path = path
        self._failed = failed or int
        self.failures = 0
        """How often the disk refused; each was logged and is tried again.

        Of the journal only the first time counts until it can be written again.
        """
        self._sync_seconds = sync_seconds
        self._entries = load(path)
        self._saved: bytes | None = None
        self._failing = False
        self._journal = Journal(path + SUFFIX)
        self._journal_failing = False
        self._current = False  # the disk knows the entries as they are
        self._sources: list[Source] = []
        self._told: list[Mapping[str, str | None]] = []
        self._lock = asyncio.Lock()
        # One thread: what was begun is over before the next begins, also after a
        # cancellation.
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="positions")

    def __getitem__(self, key: str) -> str:
        """Return the entry *key* as it is kept; KeyError when there is none."""
        return self._entries[key]

    def __contains__(self, key: object) -> bool:
        """Say whether there is an entry *key*."""
        return key in self._entries

    def keys(self) -> list[str]:
        """Return all keys, also those of others."""
        return list(self._entries)

    def register(self, source: Source) -> None:
        """Ask *source* whenever something is written: every `JOURNAL_SECONDS`."""
        self._sources.append(source)

    async def run(self) -> None:
        """Save every ``sync_seconds``, keep the journal between, until cancelled."""
        while True:
            await self._keep_journal()
            await self.save()

    async def _keep_journal(self) -> None:
        """Return when a save is due: its time has come, or the journal has no room."""
        now = asyncio.get_running_loop().time
        due = now() + self._sync_seconds
        while (left := due - now()) > JOURNAL_SECONDS:
            await asyncio.sleep(JOURNAL_SECONDS)
            if not await self._note() and not self._failing:
                return
        await asyncio.sleep(max(left, 0.0))

    async def save(self) -> bool:
        """Write everything; return whether the file is up to date.

        Never raises: a full disk is an ERROR line, and the next save tries again.
        """
        async with self._lock:
            self._collect()
            try:
                self._current = await self._write(self._replace)
            except OSError as error:
                self._current = False
                self._fail()
                self._failing = True
                log.error("positions not written to %s: %s", self.path, error)  # noqa: TRY400  # one line, no traceback
                return False
            self._failing = False
            return True

    def _replace(self, entries: Mapping[str, str]) -> bool:
        """Write the file if it changed, start its journal anew; OSError: neither."""
        data = serialise(entries)
        if data != self._saved:
            store(self.path, data)
            self._saved = data
        self._journal.begin(data, entries)
        return True

    async def _note(self) -> bool:
        """Write to the journal what changed; return whether it has room for it.

        Never raises: that it cannot be written is told once, and tried again.
        """
        async with self._lock:
            if not self._collect() and self._current:
                return True
            try:
                room = self._current = await self._write(self._journal.append)
            except OSError as error:
                self._current = False
                if not self._journal_failing:
                    self._fail()
                    log.error("%s not written: %s", self._journal.path, error)  # noqa: TRY400  # one line, no traceback
                self._journal_failing = True
                return True
            self._journal_failing = False
            return room

    async def _write(self, write: Callable[[Mapping[str, str]], bool]) -> bool:
        """Give all entries to *write*, in the thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, write, dict(self._entries))

    async def close(self) -> None:
        """Save for the last time; call it when nothing is acknowledged any more."""
        # Should the disk be too slow for a save, this much is kept.
        await self._note()
        await self.save()
        self._executor.shutdown(wait=False)

    def _fail(self) -> None:
        self.failures += 1
        self._failed()

    def _collect(self) -> bool:
        """Ask the sources; return whether any entry is another one now."""
        before, self._told = self._told, [source() for source in self._sources]
        if len(before) == len(self._told) and all(map(is_, before, self._told)):
            return False
        changes: dict[str, str | None] = {}
        for told in self._told:
            for key, value in told.items():
                changes[key] = _smaller(changes.get(key), value)
        changed = False
        for key, value in changes.items():
            if self._entries.get(key) == value:
                continue
            changed = True
            if value is None:
                del self._entries[key]
            else:
                self._entries[key] = value
        return changed


def _smaller(first: str | None, second: str | None) -> str | None:
    if first is None or second is None or not (first.isdigit() and second.isdigit()):
        return second if second is not None else first
    return min(first, second, key=int)
