from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from exporters.toolkit.decode import DecodeError
from tests.shipper.pipeline.conftest import Rig


@pytest.mark.parametrize(
    ("rate", "chance", "stays"),
    [
        ("0.5", 0.49, True),
        ("0.5", 0.5, False),
        ("1", 0.999999, True),
        ("0", 0.0, False),
        ('"0.25"', 0.2, True),
    ],
)
def test_tosses(rig: Callable[..., Rig], rate: str, chance: float, stays: bool) -> None:
    stages = rig(f"- sampling: {{rate: {rate}}}", chance=lambda: chance)
    assert bool(stages.feed("x")) is stays
    assert stages.dropped == ([] if stays else ["x"])
    assert stages.counts.reasons == ({} if stays else {"sampling_stage": 1})


def test_lets_its_share_through(rig: Callable[..., Rig]) -> None:
    toss = random.Random(1).random
    text = "- sampling: {rate: 0.1, drop_counter_reason: mine}"
    stages = rig(text, chance=toss)
    kept = len(stages.feed_all(["x"] * 10_000))
    assert 900 < kept < 1100
    assert stages.counts.reasons == {"mine": 10_000 - kept}


@pytest.mark.parametrize(
    ("stage", "error"),
    [
        ("{rate: 1.1}", "must be between 0.0 and 1.0, received 1.100000"),
        ("{rate: -0.1}", "received -0.100000"),
        ("{rate: nan}", "received nan"),
        ("{}", "rate is required"),
        ("{rate: half}", "expected a number, got 'half'"),
    ],
)
def test_refused(rig: Callable[..., Rig], stage: str, error: str) -> None:
    with pytest.raises(DecodeError, match=error):
        rig(f"- sampling: {stage}")
