"""How journalctl is asked. Pure.

``-f`` shows entries of the last boot only, unless journals are merged; merged means
those of other machines too, where no directory is given. So the local journal is read
to its end first and then followed. ``--after-cursor`` leaves out the next entry when
the one of the cursor is gone; ``--cursor`` gives both, and the first may be known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


PROGRAM: Final = "journalctl"
PACKAGE: Final = "systemd"
"""Of Debian, which the program is in."""

_ALWAYS: Final = ("--output=export", "--quiet", "--no-pager", "--no-tail")
_CURSOR: Final = re.compile(r"[a-z]=[0-9a-f]+(?:;[a-z]=[0-9a-f]+)*", re.ASCII)
_TIME: Final = re.compile(r"(?:^|;)t=([0-9a-f]{1,16})(?:;|$)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Start:
    """Where to begin: at the entry of *cursor*, else at *since_us*, from 1970 on."""

    cursor: str = ""
    since_us: int = 0

    @property
    def option(self) -> str:
        if self.cursor:
            return f"--cursor={self.cursor}"
        return f"--since=@{self.since_us // 1_000_000}.{self.since_us % 1_000_000:06}"


def start_from(kept: str | None, max_age_seconds: float, now_us: int) -> Start:
    """Return where promtail would begin that kept the cursor *kept*.

    A cursor that is older than *max_age_seconds*, or none, counts for nothing.
    """
    since_us = max(0, now_us - int(max_age_seconds * 1e6))
    at_us = cursor_time_us(kept or "")
    if kept is None or at_us is None or at_us < since_us:
        return Start(since_us=since_us)
    return Start(kept, since_us)


def cursor_time_us(cursor: str) -> int | None:
    """Return the time that is in *cursor*, None if that is no cursor."""
    found = _TIME.search(cursor) if _CURSOR.fullmatch(cursor) else None
    return None if found is None else int(found[1], 16)


def commands(
    start: Start, *, path: str = "", matches: Sequence[str] = ()
) -> list[list[str]]:
    """Return what to run for all entries from *start* on, the last for ever.

    Each but the first is to begin where the one before ended.
    """
    directory = [f"--directory={path}", "--merge"] if path else []
    ways = [["--follow"]] if path else [[], ["--follow"]]
    return [
        [PROGRAM, *_ALWAYS, *way, *directory, start.option, "--", *matches]
        for way in ways
    ]
