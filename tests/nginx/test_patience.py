from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, strategies as st

from exporters.nginx.errors import ScrapeError
from exporters.nginx.patience import CEILING_SECONDS, time_limit, within


@pytest.mark.parametrize(
    ("configured", "announced", "limit"),
    [
        (5.0, None, 5.0),
        (5.0, 10.0, 5.0),
        (5.0, 5.0, 4.5),
        (5.0, 1.0, 0.9),
        (0.0, 10.0, 9.5),
        (0.0, None, CEILING_SECONDS),
        (5.0, 0.0, 5.0),
        (5.0, -1.0, 5.0),
    ],
)
def test_time_limit(configured: float, announced: float | None, limit: float) -> None:
    assert time_limit(configured, announced) == limit


@given(st.floats(0, 1e6), st.none() | st.floats(-1e6, 1e6))
def test_every_wait_has_a_limit(configured: float, announced: float | None) -> None:
    limit = time_limit(configured, announced)
    assert 0 < limit <= (configured or CEILING_SECONDS)


async def test_within() -> None:
    async with within(30):
        pass
    with pytest.raises(ScrapeError) as caught:
        async with within(0.01):
            await asyncio.Event().wait()
    assert str(caught.value) == "no complete answer within 0.01s"


async def test_within_does_not_take_another_error_for_its_own() -> None:
    with pytest.raises(ScrapeError, match="refused"):
        async with within(30):
            raise ScrapeError("refused")


async def test_who_is_cancelled_is_not_late() -> None:
    async def waits() -> None:
        async with within(30):
            await asyncio.Event().wait()

    task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
