"""Where blocking reads run: a few named threads for all files of a job."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar


P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

THREADS = 4

SLOW_SECONDS = 30.0
"""After which a file system that does not answer is worth a line in the log."""


class Disk:
    """A few threads, however many files there are. `close` it when nothing is asked."""

    def __init__(self, *, slow_seconds: float = SLOW_SECONDS) -> None:
        self._slow_seconds = slow_seconds
        self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="files")

    async def ask(
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return what *function* returns, or raise what it raises.

        A read from a dead network file system cannot be given up, only reported.
        """
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._executor, lambda: function(*args, **kwargs))
        while not future.done():
            await asyncio.wait([future], timeout=self._slow_seconds)
            if not future.done():
                log.warning(
                    "a file system does not answer",
                    extra={"fields": {"waiting_for": repr(args)[:200]}},
                )
        return future.result()

    def close(self) -> None:
        """Let the threads end; does not wait for a read that hangs."""
        self._executor.shutdown(wait=False, cancel_futures=True)
