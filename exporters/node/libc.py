"""The C library, for system calls that Python has not."""

from __future__ import annotations

import ctypes
import functools


@functools.cache
def library() -> ctypes.CDLL:
    """Return it; after a call ctypes.get_errno() is this thread's errno."""
    return ctypes.CDLL(None, use_errno=True)
