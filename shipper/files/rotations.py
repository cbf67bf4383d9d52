"""Know a rotated file when a pattern finds it again under its new name. Pure.

``*.log*`` matches ``x.log`` and, after the rotation, ``x.log.1``: the same file, which
promtail reads twice. Here the tail of ``x.log`` reads it to its end, then that of
``x.log.1`` goes on from there. A hard or symbolic link is no rotation: the first name
is still there, and each name is read in full, as promtail does.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from enum import Enum
from typing import NamedTuple, Protocol, TypeVar

from shipper.files.seen import Identity, Seen


K = TypeVar("K")

MAX_REMEMBERED = 1024
"""Files read to their end that are still known if they appear again."""


class Wait(Enum):
    """Another tail has not read the file to its end yet."""

    WAIT = "wait"


class ReadUpTo(NamedTuple):
    """How far a file was read that begins with *head*; *lines* if they are counted."""

    offset: int = 0
    head: bytes = b""
    lines: int | None = None


class Holder(Protocol):
    """A tail."""

    path: str

    def notice(self, seen: Seen | OSError | None) -> bool:
        """Take what is at the tail's path now."""

    def bears(self, identity: Identity) -> bool:
        """Say whether the tail's path is a name of the file *identity* now."""


class Rotations:
    """The files that the tails of one target read, or have read."""

    def __init__(self) -> None:
        self._holders: dict[Identity, list[Holder]] = defaultdict(list)
        self._claims: dict[int, list[Holder]] = defaultdict(list)
        self._read: OrderedDict[Identity, ReadUpTo] = OrderedDict()

    def claim(self, inode: int, holder: Holder) -> None:
        """Note that *holder* will look for the file *inode* that it read before."""
        self._claims[inode].append(holder)

    def unclaim(self, inode: int, holder: Holder) -> None:
        """Note that *holder* has looked for it."""
        _remove(self._claims, inode, holder)

    def hold(self, identity: Identity, holder: Holder) -> None:
        """Note that *holder* reads the file *identity*."""
        self._holders[identity].append(holder)

    def release(self, identity: Identity, holder: Holder) -> None:
        """Note that *holder* does not read the file any more."""
        _remove(self._holders, identity, holder)

    def finished(self, identity: Identity, up_to: ReadUpTo) -> None:
        """Remember up to where the file *identity* was read."""
        self._read[identity] = up_to
        self._read.move_to_end(identity)
        if len(self._read) > MAX_REMEMBERED:
            self._read.popitem(last=False)

    def sharing(self, identity: Identity, asking: Holder) -> list[Holder]:
        """Return the other tails whose path was a name of *identity* when last seen."""
        others = self._others(identity)
        return [tail for tail in others if tail is not asking and tail.bears(identity)]

    def known(self, identity: Identity, asking: Holder) -> ReadUpTo | Wait | None:
        """Return how far the file *identity* was read under another name.

        None when it was not, `Wait.WAIT` when that is going on.
        """
        for other in self._others(identity):
            if other is not asking and not other.bears(identity):
                return Wait.WAIT
        return self._read.get(identity)

    def _others(self, identity: Identity) -> list[Holder]:
        return [
            *self._holders.get(identity, ()),
            *self._claims.get(identity.inode, ()),
        ]


def _remove(table: dict[K, list[Holder]], key: K, holder: Holder) -> None:
    holders = table.get(key, [])
    holders.remove(holder)
    if not holders:
        del table[key]
