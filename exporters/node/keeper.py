"""Which descriptors of the kernel's files may stay open from scrape to scrape.

Opening a file of sysfs, reading and closing it takes 8 us, reading it again 1.6 us.
What is read has to be what opening anew would give, so a descriptor is kept only

* of procfs and sysfs themselves, whose files are never replaced by others: not of a
  directory that stands in for them, nor of lxcfs;
* as long as nothing is mounted or unmounted there, or in the way to it: after that
  something else may lie over a path. Mounts elsewhere do not matter: where containers
  come and go there are some every second, and opening all anew takes as long as all
  else of a scrape.

The kernel holds 4.2 KiB for each (measured: a page for the text), outside of this
process' RSS but within its control group, hence the limit.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
from collections.abc import Sequence


MOST_KEPT = 5120
"""How many descriptors are kept, at most: 21 MiB of the kernel's memory, for 200
network interfaces. What is beyond is opened at each scrape."""

_MOUNTS = "/proc/self/mountinfo"
_KERNELS_OWN = (b"proc ", b"sysfs ")
_DEVICE = re.compile(rb"[0-9]+ [0-9]+ ([0-9]{1,9}):([0-9]{1,9}) ")
_PLACE = re.compile(rb"[^ ]+ [^ ]+ [^ ]+ [^ ]+ ([^ ]+) ")
_ESCAPE = re.compile(rb"\\([0-3][0-7]{2})")
_CHUNK = 65_536


def raise_limit() -> None:
    """Let this process open as many files as it may, as Go's runtime does at start."""
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Keeper:
    """Says what may be kept, and until when.

    Before the first :meth:`look` nothing may: who calls a collector once, outside of a
    scrape, opens everything anew. :meth:`look` is for one thread, the rest for any.
    """

    def __init__(self) -> None:
        """Open nothing yet."""
        self.epoch = 0
        self._roots: tuple[str, ...] = ()
        self._state: object = None
        self._mounts = -1
        self._changes: select.poll | None = None
        self._devices: frozenset[int] = frozenset()
        self._kept: set[int] = set()
        self._most = 0

    def watch(self, *roots: str) -> None:
        """Keep what is below *roots* only, so that mounts elsewhere do not matter."""
        self._roots = roots

    def look(self) -> None:
        """Begin a new :attr:`epoch` if mounts have changed; what is older is stale."""
        if self._changes is None:
            self._begin()
        elif self._changes.poll(0):
            self._read_mounts()

    def keep(self, descriptor: int) -> bool:
        """Tell whether *descriptor* may stay open, and count it then.

        Who keeps it calls :meth:`close` in the end.
        """
        if len(self._kept) >= self._most:
            return False
        if os.fstat(descriptor).st_dev not in self._devices:
            return False
        self._kept.add(descriptor)
        return True

    def close(self, descriptor: int) -> None:
        """Close *descriptor*, which was kept."""
        self._kept.discard(descriptor)
        with contextlib.suppress(OSError):
            os.close(descriptor)

    def _begin(self) -> None:
        try:
            self._mounts = os.open(_MOUNTS, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return  # without /proc nobody tells of changes: nothing is kept
        import resource  # noqa: PLC0415 - Windows has none

        self._changes = select.poll()
        self._changes.register(self._mounts, select.POLLERR | select.POLLPRI)
        self._most = min(MOST_KEPT, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
        self._read_mounts()

    def _read_mounts(self) -> None:
        os.lseek(self._mounts, 0, os.SEEK_SET)
        data = b"".join(iter(lambda: os.read(self._mounts, _CHUNK), b""))
        self._devices = parse_devices(data)
        state = state_of(data, self._roots) if self._roots else None
        if state is None or state != self._state:
            self._state = state
            self.epoch += 1

    def __del__(self) -> None:
        if self._mounts >= 0:
            os.close(self._mounts)


def parse_devices(data: bytes) -> frozenset[int]:
    """Return the st_dev of every procfs and sysfs in a mountinfo file. Never raises."""
    found: set[int] = set()
    for line in data.split(b"\n"):
        before, _, after = line.partition(b" - ")
        device = _DEVICE.match(before)
        if device and after.startswith(_KERNELS_OWN):
            found.add(os.makedev(int(device[1]), int(device[2])))
    return frozenset(found)


def state_of(data: bytes, roots: Sequence[str]) -> object:
    """Return what decides which files are below *roots*: equal if they are the same.

    That is where each of *roots* leads to, through all links and mounts, and which
    mounts of a mountinfo file, *data*, are there or below. Never raises.
    """
    places = [os.path.realpath(os.fsencode(root)) for root in roots]
    below = tuple(place.rstrip(b"/") + b"/" for place in places)
    mounts = [line for line in data.split(b"\n") if _place(line).startswith(below)]
    return [(place, _identity(place)) for place in places], mounts


def _place(line: bytes) -> bytes:
    """Return the mount point of a *line* of mountinfo, with a slash at its end."""
    found = _PLACE.match(line)
    if found is None:
        return b""
    return _ESCAPE.sub(lambda octal: bytes([int(octal[1], 8)]), found[1]) + b"/"


def _identity(path: bytes) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino
