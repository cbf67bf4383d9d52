from __future__ import annotations

import pytest

from shipper.pipeline.labelset import LabelSet
from shipper.pipeline.record import Record
from shipper.pipeline.throttle import Throttle
from tests.shipper.pipeline.conftest import Clock, Counts, Rig


def _record() -> Record:
    return Record(LabelSet.of({}), 0, "x", origin=Rig("[]"), slots=["x"])


def _throttle(clock: Clock, counts: Counts, *, drop: bool) -> Throttle:
    return Throttle(2.0, 2, drop=drop, meters=counts, clock=clock.monotonic)


def test_drops_and_counts_what_is_too_much() -> None:
    clock, counts, rig = Clock(), Counts(), Rig("[]")
    kept: list[Record] = []
    step = _throttle(clock, counts, drop=True).wrap(kept.append)
    for name in "abcd":
        step(Record(LabelSet.of({}), 0, name, origin=rig, slots=[name]))
    assert [record.line for record in kept] == ["a", "b"]
    assert rig.dropped == ["c", "d"]
    assert counts.reasons == {"global_rate_limiter_drop": 2}


def test_or_delays_it_after_what_a_stage_delays() -> None:
    throttle = _throttle(Clock(), Counts(), drop=False)
    delays = []
    for before in (0.0, 0.0, 0.0, 0.75):
        record = _record()
        record.delay_seconds = before
        assert throttle.apply(record)
        delays.append(record.delay_seconds)
    assert delays == pytest.approx([0.0, 0.0, 0.5, 1.0])


def test_is_one_for_all_pipelines() -> None:
    throttle = _throttle(Clock(), Counts(), drop=True)
    kept: list[str] = []
    first = throttle.wrap(lambda _: kept.append("first"))
    second = throttle.wrap(lambda _: kept.append("second"))
    for step in (first, second, first, second):
        step(_record())
    assert kept == ["first", "second"]
