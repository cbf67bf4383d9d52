"""Run a blocking call for each of many keys; a call that hangs costs only its own key.

For statfs(2) on mounts: one on a dead NFS or FUSE server sits in the kernel, where
nothing can interrupt it, until the server is back. And for CPUs that have to be woken
before the kernel knows their frequency. Upstream (stuckMountWatcher) loses
whole scrapes to that: it waits for the call itself, and as many dead mounts as it has
workers stop the rest. Here the answer is given at the deadline, and a worker whose
call is slow no longer counts as one.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from _thread import start_new_thread
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar


log = logging.getLogger(__name__)

T = TypeVar("T")

SLOW_SECONDS = 0.05
"""After this long a call is taken to be slow, and another one may begin beside it."""

QUICK_SECONDS = 0.01
"""How long one worker is left alone: on local disks it is done by then, 500 of them and
a busy host included, for a third of the CPU time that four threads take."""


class Stuck:
    """The outcome of a call that has not returned in time."""


STUCK = Stuck()


class _Call(Generic[T]):
    __slots__ = ("began", "key", "outcome", "stuck")

    def __init__(self, key: str) -> None:
        self.key = key
        self.began: float | None = None  # monotonic seconds; None while it waits
        self.outcome: T | OSError | None = None
        self.stuck = False


class CallPool(Generic[T]):
    """Runs *call* in daemon threads, at most *workers* of them making progress.

    There are as many threads as needed: none between scrapes but one for each call
    that hangs, and such a key is not called again before that returns. Any number of
    threads may :meth:`run` at a time: they share the calls under way.
    """

    def __init__(
        self, call: Callable[[str], T], *, workers: int, timeout_seconds: float
    ) -> None:
        """Give up on a call after *timeout_seconds*. *call* may raise OSError only."""
        self._call = call
        self._workers = max(workers, 1)
        self._timeout_seconds = timeout_seconds
        self._changed = threading.Condition()
        self._waiting: deque[_Call[T]] = deque()
        self._under_way: dict[str, _Call[T]] = {}
        self._threads = 0

    @property
    def threads(self) -> int:
        """Return how many threads there are; none between scrapes but for stuck ones.

        Each is a daemon: it does not keep the process alive.
        """
        with self._changed:
            return self._threads

    @property
    def stuck(self) -> frozenset[str]:
        """Return the keys whose calls hang."""
        with self._changed:
            return frozenset(k for k, call in self._under_way.items() if call.stuck)

    def run(
        self, keys: Iterable[str], patience_seconds: float = math.inf
    ) -> Mapping[str, T | OSError | Stuck]:
        """Return the outcome for each of *keys*, STUCK for those that hang.

        Takes no longer than the timeout and *patience_seconds*, however many calls
        hang.
        """
        deadline = time.monotonic() + min(self._timeout_seconds, patience_seconds)
        with self._changed:
            calls = [self._join(key) for key in dict.fromkeys(keys)]
            limit, patience = 1, QUICK_SECONDS
            while self._pending(calls):
                self._start_workers(limit)
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(min(left, patience))
                limit, patience = self._workers, SLOW_SECONDS
            return {call.key: self._outcome(call) for call in calls}

    def _join(self, key: str) -> _Call[T]:
        call = self._under_way.get(key)
        if call is None:
            call = self._under_way[key] = _Call(key)
            self._waiting.append(call)
        return call

    @staticmethod
    def _pending(calls: Iterable[_Call[T]]) -> bool:
        return any(call.outcome is None and not call.stuck for call in calls)

    def _outcome(self, call: _Call[T]) -> T | OSError | Stuck:
        if call.outcome is not None:
            return call.outcome
        if not call.stuck:
            log.debug(
                "Timed out, it is being labeled as stuck and will not be monitored",
                extra={"fields": {"path": call.key}},
            )
            call.stuck = True
            if call.began is None:  # no thread to be had: forget it, try next time
                self._waiting.remove(call)
                del self._under_way[call.key]
        return STUCK

    def _start_workers(self, limit: int) -> None:
        slow_since = time.monotonic() - SLOW_SECONDS
        brisk = sum(
            call.began is not None and call.began > slow_since
            for call in self._under_way.values()
        )
        for _ in range(min(limit - brisk, len(self._waiting))):
            call = self._waiting.popleft()
            try:
                # threading.Thread.start waits until the thread says that it runs:
                # 0.1 ms of a scrape, for the name that nobody asks for.
                start_new_thread(self._work, (call,))
            except RuntimeError:  # the host has no thread left for us
                self._waiting.appendleft(call)
                return
            self._threads += 1
            call.began = time.monotonic()

    def _work(self, call: _Call[T]) -> None:
        """Run *call*, then whatever waits, until nothing does."""
        following: _Call[T] | None = call
        while following is not None:
            outcome: T | OSError
            try:
                outcome = self._call(following.key)
            except OSError as error:
                outcome = error
            following = self._finish(following, outcome)

    def _finish(self, call: _Call[T], outcome: T | OSError) -> _Call[T] | None:
        with self._changed:
            call.outcome = outcome
            del self._under_way[call.key]
            if call.stuck:
                log.debug(
                    "It has recovered, monitoring will resume",
                    extra={"fields": {"path": call.key}},
                )
                self._threads -= 1
                return None  # another worker took this one's place long ago
            if not self._waiting:
                self._threads -= 1
                self._changed.notify_all()
                return None
            following = self._waiting.popleft()
            following.began = time.monotonic()
            return following
