"""The trails of one job, to and from text, in the file of `shipper.positions`.

``<path>``                     the offset in the file that bears the name; promtail's
``file:<job>:<target>:<path>``  `Trail`: ``<place>[; <place>…][ gone=<s>]``

Of an archive promtail's number counts lines, and ours begin with ``archive:``.

*target* tells apart targets of one job that read the same file. promtail drops the
keys that it does not know while it runs. Should it have moved its offset past ours, or
should ours be missing, its offset counts.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping

from shipper.files.place import Place, Trail, format_place, parse_place
from shipper.positions import Positions


log = logging.getLogger(__name__)

KEEP_GONE_SECONDS = 24 * 3600.0

_GONE = " gone="

FileKey = tuple[str, str]
"""A target, as `shipper.files.target.Target.key` names it, and a path."""


def position_key(path: str) -> str:
    """Return *path* as a key that YAML can hold, whatever bytes are in the name."""
    if path.isprintable():
        return path
    escaped = path.replace("\\", "\\\\")
    return "".join(char if char.isprintable() else _escape(char) for char in escaped)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def format_trail(places: Collection[Place], gone: float | None = None) -> str:
    """Return *places* as text, and since when (in seconds) the path is *gone*."""
    text = "; ".join(format_place(place) for place in places)
    return text if gone is None else f"{text}{_GONE}{int(gone)}"


def parse_trail(text: str) -> tuple[list[Place], float | None]:
    """Return the places that *text* says and since when the path is gone.

    Raises ValueError when it says none.
    """
    body, _, gone = text.partition(_GONE)
    places = [parse_place(part) for part in body.split("; ")]
    return places, float(gone) if gone else None


class Ledger:
    """The files of one job.

    *archives* says that they are unpacked. *now* gives seconds since 1970,
    *keep_gone_seconds* is how long the place in a file that is not there any more is
    remembered.
    """

    def __init__(
        self,
        positions: Positions,
        job: str,
        *,
        archives: bool = False,
        keep_gone_seconds: float = KEEP_GONE_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._positions = positions
        kind = "archive" if archives else "file"
        self._prefix = f"{kind}:{position_key(job)}:"
        self._keep_gone_seconds = keep_gone_seconds
        self._now = now
        self._open: dict[FileKey, Trail] = {}
        self._suspended: set[FileKey] = set()
        self._left: dict[str, tuple[Trail, float]] = {}
        """Trails of paths that are not there, by key in the positions."""
        self._removed: set[str] = set()
        self._read_left()
        positions.register(self._changes)

    def trail(self, key: FileKey) -> Trail:
        """Return the one trail of *key*, as it was left last time."""
        trail = self._open.get(key)
        if trail is None:
            left = self._left.pop(self._name(key), None)
            # What was left while lines were in flight goes on being their trail.
            begun = left is not None and left[0].begun
            trail = left[0] if left is not None and begun else self._begin(key)
            self._open[key] = trail
        elif key in self._suspended:
            self._suspended.discard(key)
            trail.restart()
        return trail

    def close(self, key: FileKey) -> None:
        """Note that the path is not there any more: forget it some time from now."""
        trail = self._open.pop(key, None)
        self._suspended.discard(key)
        if trail is not None:
            self._left[self._name(key)] = (trail, self._now())

    def suspend(self, key: FileKey) -> None:
        """Note that the path is not wanted any more; its place is kept all the same.

        A target with other labels takes it over.
        """
        if key in self._open:
            self._suspended.add(key)

    def _begin(self, key: FileKey) -> Trail:
        """Return the trail of a target that is new here."""
        for other in self._suspended:
            if other[1] == key[1]:
                self._suspended.discard(other)
                self._removed.add(self._name(other))
                return Trail(self._open.pop(other).places)
        return self._read(key)

    @property
    def in_flight(self) -> int:
        """How many lines of all files were put and not acknowledged."""
        return sum(trail.in_flight for trail in self._open.values())

    def _name(self, key: FileKey) -> str:
        target, path = key
        return f"{self._prefix}{target}:{position_key(path)}"

    def _path(self, name: str) -> str:
        return name.removeprefix(self._prefix).partition(":")[2]

    def _read_left(self) -> None:
        """Take over what is kept; what is not opened again will be forgotten."""
        for name in self._positions.keys():  # noqa: SIM118  # not a dict
            if name.startswith(self._prefix):
                places, gone = self._entry(name)
                since = self._now() if gone is None else gone
                self._left[name] = (Trail(places), since)

    def _entry(self, name: str) -> tuple[list[Place], float | None]:
        """Return what the entry *name* says; an unreadable one says nothing."""
        try:
            return parse_trail(self._positions[name])
        except KeyError:
            return [], None
        except ValueError as error:
            log.error("%s: entry %s: %s", self._positions.path, name, error)  # noqa: TRY400  # one line, no traceback
            return [], None

    def _read(self, key: FileKey) -> Trail:
        places, gone = self._entry(self._name(key))
        number = self._promtail_number(position_key(key[1]))
        if number is not None and (not places or number > places[-1].number):
            return Trail([Place(number)])
        return Trail(places, closed=gone is not None)

    def _promtail_number(self, name: str) -> int | None:
        try:
            number = int(self._positions[name])
        except KeyError:
            return None
        except ValueError:
            number = -1
        if number >= 0:
            return number
        log.error("%s: entry %s: expected a number", self._positions.path, name)
        return None

    def _changes(self) -> Mapping[str, str | None]:
        """Return the entries of all files (see `Positions.register`)."""
        self._forget()
        changes: dict[str, str | None] = dict.fromkeys(self._removed)
        self._removed.clear()
        for key, trail in self._open.items():
            places = trail.places
            if places and places[-1].inode is not None:
                changes[self._name(key)] = format_trail(places)
                _put_smaller(changes, position_key(key[1]), places[-1].number)
        for name, (trail, since) in self._left.items():
            places = trail.places
            if places and places[-1].inode is not None:
                changes[name] = format_trail(places, since)
        return changes

    def _forget(self) -> None:
        limit = self._now() - self._keep_gone_seconds
        for name, (trail, since) in list(self._left.items()):
            if since <= limit and not trail.in_flight:
                del self._left[name]
                self._removed.add(name)
                if not any(self._path(name) == position_key(k[1]) for k in self._open):
                    self._removed.add(self._path(name))


def _put_smaller(changes: dict[str, str | None], name: str, number: int) -> None:
    """Keep the smaller number when two targets read one file."""
    other = changes.get(name)
    changes[name] = str(number if other is None else min(number, int(other)))
