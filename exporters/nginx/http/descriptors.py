"""Share out the file descriptors that this process may have open.

Go raises the soft limit to the hard one when a program starts (``os/rlimit.go``), so
upstream runs with more than the 1024 that a shell gives; so do we. Where the hard
limit is low too, a thousand nginx must not leave none for the scraper that asks.
"""

from __future__ import annotations

import asyncio
import sys


if sys.platform != "win32":  # where sockets are no file descriptors
    import resource


# Listening sockets, scrapers (--web.max-requests is 40), lookups, files in /proc.
RESERVED = 128

# Two Prometheus and a person may scrape at once, each over connections of its own.
SCRAPES_AT_ONCE = 4

# More at once than this helps nobody: it is one event loop.
MAX_AT_ONCE = 4096


def raise_limit() -> None:
    """Raise the soft limit of open files to the hard one, as far as one may."""
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):  # macOS has a lower limit than the one it names
        return


class Descriptors:
    """Share out the descriptors of connections: one half each, to two purposes.

    *slots* bounds the requests under way, and those beyond wait their turn. The other
    half is for connections that are kept from one scrape to the next, as far as it
    goes. *limit* is the soft limit of this process if it is not given.
    """

    def __init__(self, limit: int | None = None) -> None:
        half = _spare(limit) // 2
        self.slots = asyncio.Semaphore(max(1, min(half, MAX_AT_ONCE)))
        self._keepers_left = half // SCRAPES_AT_ONCE

    def claim(self) -> bool:
        """Return whether one more client may keep its connections; count it if so."""
        if self._keepers_left < 1:
            return False
        self._keepers_left -= 1
        return True

    def release(self) -> None:
        """Give back what claim() gave."""
        self._keepers_left += 1


def _spare(limit: int | None) -> int:
    if limit is None:
        limit = _soft_limit()
    if limit < 0:  # RLIM_INFINITY
        return 2 * MAX_AT_ONCE * SCRAPES_AT_ONCE
    return max(limit - RESERVED, limit // 2)


def _soft_limit() -> int:
    if sys.platform == "win32":
        return -1
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft
