"""How long a server may take that a scrape asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from exporters.nginx.errors import ScrapeError


# The answer has to travel back before the scraper gives up (blackbox_exporter
# --timeout-offset), and a short timeout must not be spent on the margin.
MARGIN_SECONDS = 0.5
MARGIN_SHARE = 0.1

# --nginx.timeout=0 is "no limit" upstream. A scraper that announces no timeout
# either is answered after a minute, Prometheus' longest usual interval.
CEILING_SECONDS = 60.0


def time_limit(configured_seconds: float, announced_seconds: float | None) -> float:
    """Return how long one server may take, in seconds.

    *configured_seconds* is ``--nginx.timeout`` or its like, 0 for no limit of its own;
    *announced_seconds* the scraper's patience, from which a margin is taken.
    """
    limit = configured_seconds or CEILING_SECONDS
    if announced_seconds is None or announced_seconds <= 0:
        return limit
    margin = min(MARGIN_SECONDS, announced_seconds * MARGIN_SHARE)
    return min(limit, announced_seconds - margin)


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Raise ScrapeError, which says so, when what is inside takes longer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise ScrapeError(f"no complete answer within {seconds:g}s") from error
