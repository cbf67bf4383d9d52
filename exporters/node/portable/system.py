"""Which system this is, as far as names and meanings depend on it."""

from __future__ import annotations

import sys


_KNOWN = ("darwin", "freebsd", "linux", "netbsd", "openbsd", "win32")


def current(platform: str = sys.platform) -> str:
    """Return *platform* without a version, "other" where nothing is known of it."""
    return next((name for name in _KNOWN if platform.startswith(name)), "other")
