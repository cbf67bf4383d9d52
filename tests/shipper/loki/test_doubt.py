"""When one entry is given up, and when it is kept: the whole policy as a table."""

from __future__ import annotations

import pytest

from shipper.loki.doubt import (
    ALONE_SECONDS,
    FLAKY_REFUSALS,
    FLAKY_SECONDS,
    LEAST_REFUSALS,
    Doubt,
    Step,
    Suspect,
)

from .conftest import Time


class Case:
    """One entry under suspicion, and another one of the same client."""

    def __init__(self, time: Time) -> None:
        self.time = time
        self.doubt = Doubt(time)
        self.entry: Suspect | None = None
        self.other: Suspect | None = None

    def play(self, events: str) -> Step:
        """Play *events*: r, o: it, the other is refused; s: stored; f: false alarm.

        A digit passes so many tenths of ten minutes.
        """
        for event in events:
            if event == "r":
                self.entry = self.doubt.refused(self.entry)
            elif event == "o":
                self.other = self.doubt.refused(self.other)
            elif event == "s":
                self.doubt.stored()
            elif event == "f":
                self.doubt.false_alarm()
            else:
                self.time.now += int(event) * ALONE_SECONDS / 10
        assert self.entry
        return self.doubt.step(self.entry)


MANY = "r" * LEAST_REFUSALS
FEW = "r" * (LEAST_REFUSALS - 1)
SURE = "r" * FLAKY_REFUSALS


@pytest.mark.parametrize(
    ("events", "step"),
    [
        ("r", Step.AGAIN),
        ("rs", Step.AGAIN),
        (FEW + "sss", Step.AGAIN),
        (FEW + "s99", Step.AGAIN),  # so often at least, however long it takes
        (MANY, Step.COMPARE),
        ("s" + MANY, Step.COMPARE),  # what was stored before it says nothing
        ("r" + "s" + FEW, Step.GIVE_UP),
        (FEW + "sr", Step.GIVE_UP),
        (MANY + "s", Step.GIVE_UP),
        # nobody says anything
        (MANY + "9", Step.COMPARE),
        (MANY + "91", Step.GIVE_UP),
        ("r55" + FEW, Step.GIVE_UP),
        # the others are refused, too: it is not this one's fault
        (MANY + "9o1r", Step.COMPARE),
        (MANY + "9o9r", Step.COMPARE),
        (MANY + "9o91r", Step.GIVE_UP),  # ten minutes without a word, at last
        (MANY + "9r1r", Step.GIVE_UP),  # itself is no other
        (MANY + "o9r9r", Step.GIVE_UP),
        (MANY + "o5o5r", Step.COMPARE),
        # what was refused was stored afterwards: such answers mean little
        ("f" + MANY + "s", Step.AGAIN),
        (MANY + "fs", Step.AGAIN),
        ("f" + SURE[1:] + "s", Step.AGAIN),
        ("f" + SURE + "s", Step.GIVE_UP),
        ("f" + SURE, Step.COMPARE),
        ("f99999" + MANY + "s", Step.AGAIN),
        ("f999999" + MANY + "s99", Step.AGAIN),  # it was before its first refusal
        ("f9999996" + MANY + "s", Step.GIVE_UP),
        (MANY + "f9999999s", Step.AGAIN),
    ],
)
def test_the_policy(time: Time, events: str, step: Step) -> None:
    assert FLAKY_SECONDS == 6 * ALONE_SECONDS, "the digits of the table mean both"
    assert Case(time).play(events) is step
