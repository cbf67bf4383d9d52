"""One store per file: a second process would not see the first one's streams."""

from __future__ import annotations

import fcntl
import os

from shipper.store.errors import StoreStartError


class FileLock:
    """Hold ``<path>.lock`` until `release`, or until the process is gone.

    Raises StoreStartError when another process holds it or it cannot be made.
    """

    def __init__(self, path: str) -> None:
        name = f"{path}.lock"
        try:
            self._fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreStartError(
                f"storage lock {name}: {error.strerror}; expected a writable folder"
            ) from None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise StoreStartError(
                f"storage file {path}: in use by another process; expected to be the "
                "only store that opens it"
            ) from None

    def release(self) -> None:
        """Let another process open the file."""
        os.close(self._fd)
