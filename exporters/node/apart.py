"""Read devices one by one, so that one that fails costs only itself.

Upstream returns at the first error and loses every device (in procfs, for example,
``xfs.FS.SysStats``). Here the others are served, and then the collector fails as
upstream's does. A device that went away meanwhile is no failure.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from typing import TypeVar


log = logging.getLogger(__name__)

T = TypeVar("T")

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENODEV})


def names(path: str) -> list[str]:
    """Return the names in the directory *path*, sorted; none where it cannot be read.

    As Go's ``filepath.Glob``, which does not tell why there is nothing. Never raises.
    """
    try:
        return sorted(os.listdir(path))
    except OSError:
        return []


class Apart:
    """Reads what may fail, and keeps the first failure for later."""

    def __init__(self) -> None:
        """Begin without a failure."""
        self._first: OSError | ValueError | None = None

    def read(self, read: Callable[[str], T], path: str) -> T | None:
        """Return what *read* makes of *path*, None where there is nothing or it fails.

        *read* raises OSError, or ValueError, which gets the path in front.
        """
        try:
            return read(path)
        except OSError as error:
            if error.errno not in _ABSENT or os.path.lexists(path):
                error.filename = error.filename or path
                self._keep(error)
        except ValueError as error:
            self._keep(ValueError(f"{path}: {error}"))
        return None

    def raise_first(self) -> None:
        """Raise the first failure, if there was one."""
        if self._first is not None:
            raise self._first

    def _keep(self, failure: OSError | ValueError) -> None:
        log.debug("left out", extra={"fields": {"err": failure}})
        self._first = self._first or failure
