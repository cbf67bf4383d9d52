"""When a refusal that Loki does not explain is the fault of the one entry refused.

A proxy or a broken Loki can answer 400 or 413 to everything, or to every third push.
What it refuses then is good, and is kept. An entry is given up only when it was refused
again and again while other entries of the same client were stored. That the client has
refused entries lately and taken them afterwards speaks against a hasty verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto


LEAST_REFUSALS = 5
"""So often at least an entry is refused before it is given up."""

FLAKY_REFUSALS = 20
"""So often where refusals were false lately: 0.3 ** 20 is 3e-11, 0.3 ** 5 is 0.002."""

FLAKY_SECONDS = 3600.0
"""How long a refusal that was false makes later ones doubtful."""

ALONE_SECONDS = 600.0
"""Without any evidence, for or against, one entry holds its lane no longer."""


class Step(Enum):
    """What to do with an entry that was refused without a reason."""

    AGAIN = auto()  # wait, then send it again
    COMPARE = auto()  # wait, then send another entry to learn whose fault it is
    GIVE_UP = auto()


@dataclass(slots=True, eq=False)
class Suspect:
    """An entry under suspicion: since when, and what was known before."""

    since: float
    stored_before: int
    refusals: int = 0


class Doubt:
    """The evidence that one client's pushes give, for and against its suspects."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Measure time with the monotonic *clock*, in seconds."""
        self._clock = clock
        self._stored = 0
        self._false_alarm_at = float("-inf")
        self._last: Suspect | None = None  # who was refused last, and when
        self._last_at = float("-inf")
        self._another_at = float("-inf")  # when somebody else was

    def stored(self) -> None:
        """Note that a push was stored."""
        self._stored += 1

    def false_alarm(self) -> None:
        """Note that something was stored, unchanged, that had been refused."""
        self._false_alarm_at = self._clock()

    def refused(self, suspect: Suspect | None) -> Suspect:
        """Note another refusal of *suspect*, of a new one for None; return it."""
        now = self._clock()
        if suspect is None:
            suspect = Suspect(now, self._stored)
        suspect.refusals += 1
        if suspect is not self._last:
            self._last, self._another_at = suspect, self._last_at
        self._last_at = now
        return suspect

    def step(self, suspect: Suspect) -> Step:
        """Return what the evidence asks for, right after `refused`."""
        now = self._clock()
        flaky = suspect.since - self._false_alarm_at < FLAKY_SECONDS
        if suspect.refusals < (FLAKY_REFUSALS if flaky else LEAST_REFUSALS):
            return Step.AGAIN
        if self._stored > suspect.stored_before:
            return Step.GIVE_UP
        # Others that are refused too are evidence that it is not this one's fault.
        last_word = max(suspect.since, self._another_at)
        return Step.GIVE_UP if now - last_word >= ALONE_SECONDS else Step.COMPARE
