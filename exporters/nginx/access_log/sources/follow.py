"""Follow the files that patterns name, through every rotation.

A file that is there at the start is followed from its end, one that comes later from
its beginning (as prometheus-nginxlog-exporter pkg/tail). A file that lost its name is
read until nothing has come for a minute: between rename and SIGUSR1 nginx goes on
writing to it.

Everything here blocks, and runs in a thread of its own.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from exporters.nginx.access_log.sources.paths import COMPRESSED, Paths
from exporters.nginx.access_log.sources.tail import (
    Identity,
    NotALogError,
    Tail,
    identity_of,
)
from exporters.toolkit.errors import StartError


log = logging.getLogger(__name__)

# What is counted in one turn of the event loop: some 300 lines, some 3 ms.
TURN_BYTES: Final = 65536
LINGER_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What one look at the files gave. *more* says that not everything was read."""

    lines: list[bytes]
    more: bool


class State(NamedTuple):
    """What is shown: files that are open, bytes that wait, files found emptied."""

    files: int = 0
    unread: int = 0
    truncated: int = 0


@dataclass(slots=True)
class _Followed:
    """A file, and when it last had a name or something new."""

    tail: Tail
    alive_at: float


class Follower:
    """The files of *patterns*, paths in which ``*``, ``?``, ``[]`` and ``**`` work."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.state = State()  # replaced after each turn: another thread reads it
        self._patterns = tuple(patterns)
        self._paths = Paths(self._patterns)
        self._followed: dict[Identity, _Followed] = {}
        self._first = 0
        self._complaints: dict[str, str] = {}
        self._refused: set[Identity] = set()  # at the start
        self._truncated = 0

    def start(self, now: float) -> None:
        """Open what is there, each file at its end.

        Raises StartError for a path without a pattern that cannot be read.
        """
        for path in self._paths.literal:
            _check(path)
        self._look_around(now, from_end=True)
        if not self._followed:
            missing = {"files": ", ".join(self._patterns)}
            log.warning("No access log is there yet", extra={"fields": missing})
        self._show()

    def turn(self, now: float) -> Turn:
        """Read on, at most `TURN_BYTES`, beginning with another file each time."""
        self._look_around(now, from_end=False)
        lines, more = self._read_on(now)
        self._show()
        return Turn(lines, more=more)

    def close(self) -> None:
        """Close every file."""
        for one in self._followed.values():
            one.tail.close()
        self._followed.clear()

    def _read_on(self, now: float) -> tuple[list[bytes], bool]:
        followed = list(self._followed.values())
        self._first += 1
        left = TURN_BYTES
        lines: list[bytes] = []
        for index in range(len(followed)):
            one = followed[(self._first + index) % len(followed)]
            size, new = self._read(one, left, now)
            lines += new
            left -= size
        return lines, left == 0

    def _show(self) -> None:
        tails = [one.tail for one in self._followed.values()]
        self.state = State(
            len(tails),
            sum(tail.unread for tail in tails),
            self._truncated + sum(tail.truncated for tail in tails),
        )

    def _read(self, one: _Followed, limit: int, now: float) -> tuple[int, list[bytes]]:
        try:
            size, lines = one.tail.read(limit)
        except OSError as error:
            self._complain(one.tail.path, error)
            return 0, []
        if size:
            one.alive_at = now
        return size, lines

    def _look_around(self, now: float, *, from_end: bool) -> None:
        """Open what is new, close what is over."""
        for path in self._paths.find(now):
            try:
                self._find(path, now, from_end=from_end)
            except FileNotFoundError:
                continue
            except (OSError, NotALogError) as error:
                self._complain(path, error)
            else:
                self._complaints.pop(path, None)
        self._let_go(now)

    def _find(self, path: str, now: float, *, from_end: bool) -> None:
        identity = identity_of(os.stat(path))
        one = self._followed.get(identity)
        if one is None:
            one = self._open(path, identity, now, from_end=from_end)
        one.alive_at = now

    def _open(
        self, path: str, identity: Identity, now: float, *, from_end: bool
    ) -> _Followed:
        try:
            tail = Tail(path, from_end=from_end or identity in self._refused)
        except PermissionError:
            if from_end:
                self._refused.add(identity)
            raise
        self._refused.discard(identity)
        one = self._followed.setdefault(tail.identity, _Followed(tail, now))
        if one.tail is not tail:  # replaced since stat(), by one that is known
            tail.close()
        else:
            log.info("Following", extra={"fields": {"file": path}})
        return one

    def _let_go(self, now: float) -> None:
        """Close what has no name any more, once nothing comes."""
        for identity, one in tuple(self._followed.items()):
            if now - one.alive_at >= LINGER_SECONDS:
                del self._followed[identity]
                self._truncated += one.tail.truncated
                one.tail.close()
                log.debug("No longer following %s: moved or removed", one.tail.path)

    def _complain(self, path: str, error: Exception) -> None:
        """Say once what is wrong with *path*, and again when it changes."""
        text = _reason(error)
        if self._complaints.get(path) != text:
            self._complaints[path] = text
            log.warning("%s: cannot follow: %s", path, text)


def _check(path: str) -> None:
    if path.endswith(COMPRESSED):
        raise StartError(f"{path}: expected a log that grows, not a compressed one")
    try:
        Tail(path, from_end=True).close()
    except FileNotFoundError:
        pass  # it may come
    except (OSError, NotALogError) as error:
        raise StartError(f"{path}: cannot follow: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    number = getattr(error, "errno", None)
    return os.strerror(number).lower() if number else str(error)
