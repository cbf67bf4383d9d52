"""Where the spool is and how much it may hold."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

from exporters.toolkit.errors import StartError


DEFAULT_LIMIT_BYTES = 1 << 30

SUFFIX = ".spool"


@dataclass(frozen=True, slots=True)
class SpoolSettings:
    """*folder*, empty: beside the file of positions. *limit_bytes* 0: no spool."""

    folder: str = ""
    limit_bytes: int = DEFAULT_LIMIT_BYTES

    def check(self) -> None:
        """Raise StartError when a folder is named that cannot be written."""
        if not self.folder or not self.limit_bytes:
            return
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            if not os.access(self.folder, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            reason = f"-spool.dir: {self.folder}: cannot be written: {error.strerror}"
            raise StartError(reason) from error

    def beside(self, positions: str) -> str:
        """Return the folder, given the file of *positions*."""
        return self.folder or positions + SUFFIX
