"""Which paths to follow: those given, and those that patterns find again and again.

prometheus-nginxlog-exporter looks at its patterns once, at the start (pkg/config,
ResolveGlobs).
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Set as AbstractSet
from typing import Final


GLOB_SECONDS: Final = 1.0
COMPRESSED: Final = (".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip", ".Z")
# What logrotate makes of a name: access.log.1, access.log-20261126.
_ROTATED: Final = re.compile(r".*log[.-]\d[\d.-]*", re.DOTALL)
# With "dateext" and "extension .log", access-20261126.log; but so may a log be called
# that has nothing beside it.
_DATED: Final = re.compile(
    r"(.*?)[.-]\d{4}-?\d\d-?\d\d[\d.-]*(\.[A-Za-z]\w*)", re.DOTALL
)


class Paths:
    """The paths that *patterns* name, in which ``*``, ``?``, ``[]`` and ``**`` work."""

    def __init__(self, patterns: Iterable[str]) -> None:
        patterns = tuple(dict.fromkeys(patterns))
        self.literal = tuple(path for path in patterns if not _is_pattern(path))
        self._patterns = tuple(path for path in patterns if _is_pattern(path))
        self._found: tuple[str, ...] = ()
        self._next = 0.0

    def find(self, now: float) -> Iterator[str]:
        """Yield each path; patterns are looked at when a second has gone by.

        What they find of files that were rotated away is left out: it was read under
        its former name, and who follows it knows it under any.
        """
        if now >= self._next:
            self._next = now + GLOB_SECONDS
            self._found = tuple(self._expand())
        yield from self.literal
        yield from self._found

    def _expand(self) -> Iterator[str]:
        for pattern in self._patterns:
            found = frozenset(glob.iglob(pattern, recursive=True))
            for path in sorted(found):
                if not path.endswith(COMPRESSED) and not _is_rotated(path, found):
                    yield path


def _is_rotated(path: str, beside: AbstractSet[str]) -> bool:
    dated = _DATED.fullmatch(path)
    if dated is not None and f"{dated[1]}{dated[2]}" in beside:
        return True
    return _ROTATED.fullmatch(path) is not None


def _is_pattern(path: str) -> bool:
    return glob.has_magic(path) and not os.path.lexists(path)
