from __future__ import annotations

import asyncio

import pytest

from shipper.loki.health import Health
from shipper.loki.quiet import PERIOD_SECONDS, Quiet
from shipper.loki.watch import probe

from .conftest import Time


def health(time: Time) -> Health:
    return Health("loki:3100", time)


def reason(it: Health) -> str | None:
    return it.reason  # a call: mypy would take the property for unchanged


def test_not_ready_before_anything_is_known(time: Time) -> None:
    assert reason(health(time)) == "Loki at loki:3100: not reached yet"


def test_a_probe_stands_in_for_the_first_push(time: Time) -> None:
    it = health(time)
    assert it.probed(None)
    assert reason(it) is None
    assert not it.probed(None)


def test_a_probe_does_not_excuse_a_loki_that_fails(time: Time) -> None:
    it = health(time)
    it.failed("HTTP 503", connected=True)
    assert not it.probed(None)
    assert reason(it) == "Loki at loki:3100: HTTP 503"
    it.reached("lane")
    assert reason(it) is None


def test_a_probe_ends_a_time_without_connections(time: Time) -> None:
    it = health(time)
    it.failed("cannot connect", connected=False)
    assert it.probed(None)
    assert reason(it) is None
    assert not it.probed("cannot connect: Connection refused")
    assert reason(it) == "Loki at loki:3100: cannot connect: Connection refused"


def test_one_lane_that_is_held_counts_while_others_go(time: Time) -> None:
    it = health(time)
    it.held("a", "HTTP 401")
    it.reached("b")
    assert reason(it) == "Loki at loki:3100: HTTP 401"
    it.reached("a")
    assert reason(it) is None
    it.held("a", "HTTP 404")
    it.forget("a")
    assert reason(it) is None


class Loki:
    """Probed some times, then the test is over."""

    def __init__(self, *answers: str | None) -> None:
        self.answers = list(answers)
        self.retried = 0

    async def probe(self) -> str | None:
        return self.answers.pop(0)

    def retry_now(self) -> None:
        self.retried += 1


async def run_watch(
    monkeypatch: pytest.MonkeyPatch, time: Time, loki: Loki, it: Health, rounds: int
) -> None:
    async def sleep(seconds: float) -> None:
        nonlocal rounds
        rounds -= 1
        time.now += seconds
        if not rounds:
            raise asyncio.CancelledError

    monkeypatch.setattr("shipper.loki.watch.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await probe(loki, it, loki)


async def test_watch_wakes_the_lanes_when_loki_is_back(
    monkeypatch: pytest.MonkeyPatch, time: Time
) -> None:
    loki, it = Loki("refused", "refused", None, None), health(time)
    await run_watch(monkeypatch, time, loki, it, 4)
    assert (loki.retried, reason(it)) == (1, None)


async def test_watch_is_quiet_while_pushes_tell(
    monkeypatch: pytest.MonkeyPatch, time: Time
) -> None:
    loki, it = Loki(None), health(time)
    it.reached("lane")
    await run_watch(monkeypatch, time, loki, it, 2)  # 0 s and 5 s after the answer
    assert loki.answers == [None]
    await run_watch(monkeypatch, time, loki, it, 1)
    assert loki.answers == []


def test_quiet_says_a_thing_once_a_minute_and_counts_the_rest(time: Time) -> None:
    quiet = Quiet(time)
    assert [quiet.may_say("a") for _ in range(4)] == [0, None, None, None]
    assert quiet.may_say("b") == 0
    time.now += PERIOD_SECONDS
    assert quiet.may_say("a") == 3
    assert quiet.may_say("a") is None


def test_quiet_does_not_grow_without_bound(time: Time) -> None:
    quiet = Quiet(time)
    for topic in range(5000):
        quiet.may_say(topic)
    assert len(quiet._topics) <= 1024
