"""One backup or restore of a stack at a time, which cleans up when told to stop."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from deploy.stack.shell import StackError


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """Hold the stack's lock; raise StackError when somebody has it."""
    path = state / "backup.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            who = file.read().strip()
            raise StackError(
                f"another backup or restore of this stack runs (process {who})"
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into an exception, so that `finally` is gone through."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    names = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(name, stop) for name in names]
    try:
        yield
    finally:
        for name, handler in zip(names, before, strict=True):
            signal.signal(name, handler)
