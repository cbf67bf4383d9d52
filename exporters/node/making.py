"""Make something of what was collected, in the thread that has collected it.

On another core everything that it touches is cold: the text of 850 samples takes 0.24
ms of CPU there, and 0.6 in the loop's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from exporters.node.calls import Call


T = TypeVar("T")


class Making(Generic[T]):
    """The last piece of work of a scrape, behind its calls in the queue.

    Where one of them still goes on in another thread it does nothing: then
    :meth:`result` does it all.
    """

    def __init__(self, calls: Iterable[Call], make: Callable[[], T]) -> None:
        """Call *make* once *calls* have ended."""
        self._calls = tuple(calls)
        self._make = make
        self._made: list[T] = []
        self._error: Exception | None = None
        self._left = False

    def __call__(self) -> None:
        """Make it if everything was collected; never raises."""
        if self._left or not self._is_collected():
            self._left = True
            return
        try:
            self._made.append(self._make())
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            self._error = error

    def leave(self) -> None:
        """Make nothing any more but in :meth:`result`."""
        self._left = True

    def is_over(self) -> bool:
        """Tell whether there is nothing to wait for."""
        if self._made or self._error is not None:
            return True
        return self._left and self._is_collected()

    def result(self) -> T:
        """Return what was made, or make it now; raises what that raises."""
        if self._error is not None:
            raise self._error
        return self._made[0] if self._made else self._make()

    def _is_collected(self) -> bool:
        return all(call.outcome is not None for call in self._calls)
