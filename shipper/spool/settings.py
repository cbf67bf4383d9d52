"""Where the spool is and how much it may hold."""

from __future__ import annotations

from dataclasses import dataclass


DEFAULT_LIMIT_BYTES = 1 << 30

SUFFIX = ".spool"


@dataclass(frozen=True, slots=True)
class SpoolSettings:
    """*folder*, empty: beside the file of positions. *limit_bytes* 0: no spool."""

    folder: str = ""
    limit_bytes: int = DEFAULT_LIMIT_BYTES

    def beside(self, positions: str) -> str:
        """Return the folder, given the file of *positions*."""
        return self.folder or positions + SUFFIX
