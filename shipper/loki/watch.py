"""Look whether Loki's address answers while no push tells."""

from __future__ import annotations

import asyncio
from typing import Protocol

from .health import Health


PROBE_PERIOD_SECONDS = 5.0
SILENCE_SECONDS = 10.0
"""A push answered within this time is better news than any probe."""


class Probe(Protocol):
    """Tries a connection."""

    async def probe(self) -> str | None:
        """Return None when it worked, else why not."""


class Retrier(Protocol):
    """Has lanes that wait."""

    def retry_now(self) -> None:
        """End the backoff of lanes that wait for Loki to come back."""


async def watch(client: Probe, health: Health, delivery: Retrier) -> None:
    """Keep *health* true before the first push and through silence, until cancelled.

    A Loki that comes back is used at once, whatever the backoff has grown to.
    """
    while True:
        if health.silent_for() >= SILENCE_SECONDS and health.probed(
            await client.probe()
        ):
            delivery.retry_now()
        await asyncio.sleep(PROBE_PERIOD_SECONDS)
