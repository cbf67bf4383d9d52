"""Those who wait for something, and for how long at most."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar


T = TypeVar("T")


class Patience(Generic[T]):
    """Each one added waits *seconds*, then is removed and given to *expire*.

    One timer serves all, and is not touched when one of them is added or removed: in
    place of a timer for each request, 3 us. More than *most* do not wait: the one who
    waited longest goes at once.
    """

    def __init__(
        self, seconds: float, expire: Callable[[T], None], most: int | None = None
    ) -> None:
        self._seconds = seconds
        self._expire = expire
        self._most = most
        self._until: OrderedDict[T, float] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._until)

    def add(self, one: T) -> None:
        """Let *one* wait; who waits already goes on doing so."""
        if one in self._until:
            return
        self._until[one] = self._loop.time() + self._seconds
        if self._most is not None and len(self._until) > self._most:
            self.expire_first()
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._look)

    def discard(self, one: T) -> None:
        """Forget *one*, if it waits."""
        self._until.pop(one, None)

    def expire_first(self) -> bool:
        """End the wait of who waited longest; tell whether there is one."""
        if not self._until:
            return False
        one, _ = self._until.popitem(last=False)
        self._expire(one)
        return True

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._until:
            left = next(iter(self._until.values())) - now
            if left > 0:
                self._timer = self._loop.call_later(left, self._look)
                return
            self.expire_first()
