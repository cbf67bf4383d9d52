"""The short form: the most telling scenarios at once, each with its own shipper.

`python -m tests.chaos` runs them one by one, `make chaos` the long form.
"""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from tests.chaos.scenario import Scenario, play
from tests.chaos.table import SCENARIOS
from tests.chaos.verdict import Row, plain


# The first test waits for all of them.
pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

SEED = int(os.environ.get("CHAOS_SEED", "4"))
AT_ONCE = 4
SHORT = [scenario for scenario in SCENARIOS if scenario.short]


async def play_all() -> dict[str, Row]:
    """Play the scenarios, a few at a time; return their rows by name."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(scenario: Scenario) -> Row:
        async with places:
            return await play(scenario, SEED, long=False)

    rows = await asyncio.gather(*map(one, SHORT))
    return {row.scenario: row for row in rows}


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    if sys.platform != "linux":
        pytest.skip("containers share their kernel with this machine")
    played = asyncio.run(play_all())
    print(f"seed {SEED}", plain(list(played.values())), sep="\n")
    return played


@pytest.mark.parametrize("name", [scenario.name for scenario in SHORT])
def test_every_line_arrives_once(rows: dict[str, Row], name: str) -> None:
    row = rows[name]
    if row.skipped:
        pytest.skip(row.skipped)
    tally = row.tally
    told = "\n".join([plain([row]), *tally.examples, row.log])
    counts = (tally.missing, tally.duplicated, tally.out_of_order)
    assert tally.found > 0, told
    assert counts == (0, 0, 0), told
    assert row.failures == [], told
