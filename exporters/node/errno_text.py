"""Go's words for an errno, which are part of labels and messages upstream (syscall)."""

from __future__ import annotations

import errno
import os


# Go's table is older than glibc's present one in this.
_OLDER = {errno.ESTALE: "stale NFS file handle"}


def errno_text(code: int) -> str:
    """Return what Go's ``syscall.Errno(code).Error()`` gives on Linux.

    Go's generator (mkerrors.sh) lowers the first letter unless an acronym begins.
    """
    text = _OLDER.get(code) or os.strerror(code)
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def error_text(error: OSError) -> str:
    """Return Go's words for *error*, or Python's where there is no errno."""
    return str(error) if error.errno is None else errno_text(error.errno)
