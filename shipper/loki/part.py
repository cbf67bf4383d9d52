"""A batch or a piece of one on its way, and the pieces that come after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .batch import Batch
from .body import Body
from .doubt import Suspect
from .fit import Fitted
from .outcome import Answer, Outcome, Verdict
from .route import Route
from .settings import ClientSettings


REFUSALS_BEFORE_SPLIT = 3
"""A push over the burst of a rate limit never passes: after so many 429, halve it."""

LEAST_HALVED_BYTES = 64 << 10
"""A line up to this size is small: what refuses it means something else."""


@dataclass(slots=True, eq=False)
class Part:
    """Entries that are pushed together, and how they fared."""

    batch: Batch
    attempts: int = 0
    limited_in_row: int = 0
    refused: bool = False  # once, without a reason, as it is
    halved: bool = False  # a piece of one that was refused twice like that
    changes: int = 0  # how often it was changed after a limit that Loki named
    suspect: Suspect | None = None  # only of a single entry
    compared: int = 0  # entries sent in between to learn about the suspect
    longest_bytes: int | None = None  # the line is cut to this
    place: int | None = None  # where it goes back to if it is refused, too

    @property
    def divisible(self) -> bool:
        """Say whether it has two entries or more."""
        return len(self.batch) > 1

    def halves(self, attempts: int = 0) -> list[Part]:
        """Return the halves as a stack: what was read first is on top."""
        return [
            Part(half, attempts, halved=self.halved or self.refused)
            for half in reversed(self.batch.halves())
        ]

    def changed(self, places: Sequence[int]) -> Part:
        """Return a part of its entries at *places*, which go again, changed."""
        batch, changes = self.batch.of(places), self.changes + 1
        return Part(batch, changes=changes, longest_bytes=self.longest_bytes)

    def cut_in_half(self) -> bool:
        """Let the one line be cut to half its size; False: it is small."""
        size = len(self.batch.entries[0].line)
        size = min(size, self.longest_bytes or size)
        if size <= LEAST_HALVED_BYTES:
            return False
        self.longest_bytes = size // 2
        self.suspect = None
        return True


class Push(NamedTuple):
    """One push of a part, and what came of it."""

    route: Route
    part: Part
    fitted: Fitted
    body: Body
    answer: Answer
    outcome: Outcome

    @property
    def held(self) -> bool:
        """Say whether /ready is to tell: it waits for a person, or for evidence."""
        verdict = self.outcome.verdict
        alone = verdict is Verdict.SPLIT and not self.part.divisible
        return alone or verdict is Verdict.HOLD

    def out_of_patience(self, settings: ClientSettings) -> bool:
        """Say whether the user's *settings* give up what this push did not bring."""
        verdict, attempts = self.outcome.verdict, settings.max_retries
        if verdict is Verdict.HOLD:
            return False
        if verdict is Verdict.LIMITED and settings.drop_rate_limited_batches:
            return True
        return bool(attempts) and self.part.attempts >= (attempts or 0)

    def after_wait(self) -> list[Part]:
        """Return what to push then: the part, or its halves."""
        part = self.part
        if self.outcome.verdict is not Verdict.LIMITED:
            part.limited_in_row = 0
            return [part]
        part.limited_in_row += 1
        if part.limited_in_row >= REFUSALS_BEFORE_SPLIT and part.divisible:
            return part.halves(part.attempts)
        return [part]


def no_more() -> Batch | None:
    """Return None: nothing follows."""
    return None


@dataclass(slots=True)
class Way:
    """What is still to be sent of a batch: a stack, first read on top."""

    route: Route
    parts: list[Part]
    following: Callable[[], Batch | None] = no_more

    def compare(self, suspect: Part) -> None:
        """Send *suspect*, but one entry that comes after it first; another each time.

        The next batch of the lane is asked for when this one has no more entries.
        """
        if not self.parts and (batch := self.following()):
            self.parts.append(Part(batch))
        other = self._take(suspect.compared) if self.parts else None
        suspect.compared += 1
        self.parts.append(suspect)
        if other:
            self.parts.append(other)

    def put_back(self, other: Part) -> None:
        """Put *other*, which went ahead, where it was."""
        assert other.place is not None, "it did not go ahead"
        self.parts.insert(other.place, other)
        other.place = None

    def _take(self, turn: int) -> Part:
        """Take one entry out: the first one of a part, of each part in turn."""
        at = len(self.parts) - 1 - turn % len(self.parts)
        other = self.parts.pop(at)
        if other.divisible:
            first, rest = other.batch.first()
            self.parts.insert(at, Part(rest, halved=other.halved))
            other, at = Part(first), at + 1
        other.place = at
        return other
