"""Whether Loki can be reached and takes what is sent: the half of /ready about Loki."""

from __future__ import annotations

from collections.abc import Callable, Hashable


class Health:
    """The last word about one Loki.

    A refusal that a person must set right (401, 403, 404, a blocked tenant) counts
    until a push of the same lane is taken; everything else is judged by the last
    answer, whichever lane got it. Before the first push a probe of the address
    stands in.
    """

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        """Speak of the Loki *name* (host:port); *clock* is monotonic, in seconds."""
        self._name = name
        self._clock = clock
        self._trouble: str | None = "not reached yet"
        self._connected = False
        self._held: dict[Hashable, str] = {}
        self._heard_at = float("-inf")

    @property
    def reason(self) -> str | None:
        """Return why Loki is not ready, or None."""
        cause = next(iter(self._held.values()), self._trouble)
        return None if cause is None else f"Loki at {self._name}: {cause}"

    @property
    def reachable(self) -> bool:
        """Say whether the last attempt of any lane got an answer that is not 5xx."""
        return self._trouble is None

    def reached(self, lane: Hashable) -> None:
        """Note that *lane* got an answer about its entries."""
        self._heard_at = self._clock()
        self._connected, self._trouble = True, None
        self._held.pop(lane, None)

    def failed(self, reason: str, *, connected: bool) -> None:
        """Note that Loki did not answer, or answered that it cannot work (5xx)."""
        self._heard_at = self._clock()
        self._connected, self._trouble = connected, reason

    def held(self, lane: Hashable, reason: str) -> None:
        """Note that *lane* is refused until somebody changes a setting."""
        self._heard_at = self._clock()
        self._connected, self._trouble = True, None
        self._held[lane] = reason

    def probed(self, failure: str | None) -> bool:
        """Note what a probe of the address found; *failure* None: it connects.

        Returns True when this ends a time without connections. A probe never
        excuses a Loki that takes connections and then fails.
        """
        if failure is not None:
            self._connected, self._trouble = False, failure
            return False
        came_back = not self._connected
        if came_back:
            self._connected, self._trouble = True, None
        return came_back

    def silent_for(self) -> float:
        """Return the seconds since the last answer to a push."""
        return self._clock() - self._heard_at

    def forget(self, lane: Hashable) -> None:
        """Drop what is known of *lane*, which has nothing more to send."""
        self._held.pop(lane, None)
