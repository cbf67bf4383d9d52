"""Follow one path: from bytes to ``sink.put``, over rotations, each line once.

The poller says what file is at the path (`Tail.notice`); the tail reads it, and those
that were there before it, oldest first. A file that lost its name is read until it has
been silent for a while, since its writer may still have it open; then what has no
newline becomes a line, because nothing can follow. While ``put`` waits nothing is read.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping

from shipper.files.part import Part, Stream
from shipper.files.place import Place, Trail
from shipper.files.reader import LogFile, recognise
from shipper.files.rotations import ReadUpTo, Rotations, Wait
from shipper.files.seen import Identity, Seen, look_all
from shipper.files.settings import MAX_OPEN_FILES, Settings
from shipper.pipeline.entry import Labels


__all__ = ["MAX_OPEN_FILES", "Settings", "Tail"]

log = logging.getLogger(__name__)

MAX_UNREAD_ROTATIONS = 64


class Tail:
    """The reader of one path; `run` it as a task, tell it by `notice`."""

    def __init__(
        self,
        path: str,
        labels: Labels,
        discovered: Mapping[str, str],
        *,
        trail: Trail,
        rotations: Rotations,
        settings: Settings,
    ) -> None:
        self.path = path
        self.labels = labels
        self.discovered = discovered
        """The labels before relabelling."""
        self.error = ""
        """Why the file cannot be read at the moment."""
        self.wanted = True
        """Whether the pattern still finds the path; `run` ends some time after."""
        self._trail = trail
        self._rotations = rotations
        self._settings = settings
        self._stream = Stream(path, labels, trail, settings)
        self._parts: list[Part] = []
        self._seen: Seen | None = None
        self._appeared: deque[Seen | None] = deque(maxlen=MAX_UNREAD_ROTATIONS)
        self._kept = trail.kept
        self._retry_at = 0.0
        self._wake = asyncio.Event()
        for place in self._kept:
            if place.inode is not None:
                rotations.claim(place.inode, self)

    # What the supervisor tells

    def notice(self, seen: Seen | OSError | None) -> bool:
        """Take what is at the path now; return whether that is news."""
        if isinstance(seen, OSError):
            if self._now() >= self._retry_at:
                self._failed(seen)
            return False
        before, self._seen = self._seen, seen
        if _identity(before) != _identity(seen):
            self._appeared.append(seen)
        changed = before != seen
        if changed or self.restless:
            self._wake.set()
        return changed

    def want(self, wanted: bool) -> None:
        """Note whether the pattern still finds the path."""
        if self.wanted and not wanted:
            self._wake.set()
        self.wanted = wanted

    def bears(self, identity: Identity) -> bool:
        """Say whether the path is a name of the file *identity* now."""
        return _identity(self._seen) == identity

    @property
    def restless(self) -> bool:
        """Whether something is to be done though nothing happens at the path."""
        waiting = bool(self._appeared or self.error or not self.wanted)
        return waiting or any(part.busy or not part.attached for part in self._parts)

    @property
    def exists(self) -> bool:
        """Whether a file was at the path when last seen."""
        return self._seen is not None

    @property
    def progress(self) -> tuple[int, int]:
        """How far the file at the path is read, and how long it is."""
        if not self._parts:
            return (0, 0 if self._seen is None else self._seen.size)
        return (self._parts[-1].splitter.offset, self._parts[-1].size)

    @property
    def waiting_since_ns(self) -> int | None:
        """When the oldest line that is not acknowledged was read; None without one."""
        return self._trail.waiting_since_ns

    # The work

    async def run(self) -> None:
        """Follow the path until it is neither wanted nor there."""
        try:
            await self._resume()
            while self.wanted or self._seen is not None or self._parts:
                await self._wake.wait()
                self._wake.clear()
                await self._step()
        finally:
            for part in self._parts:
                self._rotations.release(part.file.identity, self)
                part.file.close()
            self._unclaim()

    async def _step(self) -> None:
        if self._now() < self._retry_at:
            return
        await self._look_at_appeared()
        failed = False
        for part in list(self._parts):
            try:
                await self._drain(part)
            except OSError as error:
                self._failed(error)
                failed = True
        if self.error and not failed:
            log.info("file is read again", extra=self._fields())
            self.error = ""

    async def _resume(self) -> None:
        """Find the files that were read last time: here, or rotated meanwhile."""
        found: dict[Identity, tuple[LogFile, Place]] = {}
        for place in self._kept:
            if place.inode is None:
                continue
            file = await self._settings.disk.ask(
                recognise,
                self.path,
                place,
                self._settings.budget,
                self._settings.open_file,
            )
            if file is None:
                self._missing(place)
                continue
            if file.identity in found:  # truncated between the two places
                found[file.identity][0].close()
            found[file.identity] = (file, place)
        self._unclaim()
        # The one at the path comes last, whatever was moved where meanwhile.
        for identity in sorted(found, key=self.bears):
            file, place = found[identity]
            start = ReadUpTo(place.offset, file.head, place.lines)
            self._begin(file, start).attached = self.bears(identity)

    def _missing(self, place: Place) -> None:
        if not self._trail.closed:  # else it was read to its end before
            self._lost(place)

    def _unclaim(self) -> None:
        for place in self._kept:
            if place.inode is not None:
                self._rotations.unclaim(place.inode, self)
        self._kept = tuple(place for place in self._kept if place.inode is None)

    # Files come and go

    async def _look_at_appeared(self) -> None:
        while self._appeared:
            seen = self._appeared[0]
            if seen is None:
                self._detach()
            elif not self._reattach(seen.identity):
                self._detach()
                await self._look_at_others(seen.identity)
                known = self._rotations.known(seen.identity, self)
                if isinstance(known, Wait):
                    return
                self._attach(seen, known or ReadUpTo())
            self._appeared.popleft()

    async def _look_at_others(self, identity: Identity) -> None:
        """Look where *identity* was seen before: it may have come here from there.

        Only a name that is there after this one came is a link, not a rotation.
        """
        for other in self._rotations.sharing(identity, self):
            [seen] = await self._settings.disk.ask(look_all, [other.path])
            other.notice(seen)

    def _detach(self) -> None:
        for part in self._parts:
            if part.attached:
                part.attached = False
                part.silent_since = self._now()

    def _reattach(self, identity: Identity) -> bool:
        """Return whether the file that came is one that is read already."""
        for part in self._parts:
            if part.file.identity == identity:
                if not part.attached:
                    self._detach()
                    part.attached = True
                return True
        return False

    def _attach(self, seen: Seen, start: ReadUpTo) -> None:
        """Read the file *seen* from *start* on, if it still begins as that says."""
        settings, skip = self._settings, 0
        file = settings.open_file(self.path, seen.identity, settings.budget, start.head)
        if self._kept:  # promtail's number, for the file that it was about
            number, self._kept = self._kept[0].offset, ()
            if settings.archives is None:
                start = start._replace(offset=number)
            else:
                start, skip = ReadUpTo(), number
        if not file.reaches(start.offset, seen.size):
            start, file.head = ReadUpTo(), b""
        self._begin(file, start, skip=skip).size = seen.size

    def _begin(self, file: LogFile, start: ReadUpTo, *, skip: int = 0) -> Part:
        part = Part(self._stream, file, start, skip=skip)
        self._parts.append(part)
        self._rotations.hold(file.identity, self)
        return part

    async def _end(self, part: Part) -> None:
        """Let go of a file that nothing will be added to."""
        await part.end()
        self._parts.remove(part)
        identity = part.file.identity
        self._rotations.release(identity, self)
        if part.links:
            self._rotations.finished(identity, part.up_to)

    async def _drain(self, part: Part) -> None:
        """Read *part* to its end; let go of it if that has been its end for long."""
        try:
            await part.read()
        except FileNotFoundError:
            if part.file.unread(part.splitter.offset, part.size):
                self._lost(part.segment.place)
            part.links = 0
            await self._end(part)
            return
        silent = self._now() - part.silent_since
        if not part.attached and silent >= self._settings.drain_seconds:
            await self._end(part)

    # What goes wrong

    def _failed(self, error: OSError) -> None:
        """Say once what is wrong, and try again later."""
        self._settings.meters.unreadable(1)
        self._retry_at = self._now() + self._settings.retry_seconds
        reason = error.strerror or str(error)
        if reason != self.error:
            self.error = reason
            log.warning(
                "file cannot be read, trying again: %s", reason, extra=self._fields()
            )

    def _lost(self, place: Place) -> None:
        self._settings.meters.gaps(1)
        log.warning(
            "a file that was read is gone or cut, lines at its end may be lost",
            extra={"fields": {"path": self.path, "read_up_to": place.offset}},
        )

    def _fields(self) -> dict[str, dict[str, str]]:
        return {"fields": {"path": self.path}}

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _identity(seen: Seen | None) -> Identity | None:
    return None if seen is None else seen.identity
