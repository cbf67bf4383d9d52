"""Look whether Loki's address answers while no push tells, and what its limits are."""

from __future__ import annotations

import asyncio
from typing import Protocol

from .health import Health
from .knowledge import Knowledge
from .learn import Asker, learn


PROBE_PERIOD_SECONDS = 5.0
SILENCE_SECONDS = 10.0
"""A push answered within this time is better news than any probe."""


class Probe(Protocol):
    """Tries a connection."""

    async def probe(self) -> str | None:
        """Return None when it worked, else why not."""


class Loki(Probe, Asker, Protocol):
    """Is probed, and asked for its limits."""


class Retrier(Protocol):
    """Has lanes that wait."""

    def retry_now(self) -> None:
        """End the backoff of lanes that wait for Loki to come back."""


class Learner(Retrier, Protocol):
    """Has lanes that wait, and keeps what is known of limits."""

    @property
    def knowledge(self) -> Knowledge:
        """Return what is known."""


async def watch(client: Loki, health: Health, delivery: Learner) -> None:
    """Watch one Loki until cancelled: whether it is there, and what its limits are."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(learn(client, health, delivery.knowledge), name="limits")
        await probe(client, health, delivery)


async def probe(client: Probe, health: Health, delivery: Retrier) -> None:
    """Keep *health* true before the first push and through silence, until cancelled.

    A Loki that comes back is used at once, whatever the backoff has grown to.
    """
    while True:
        if health.silent_for() >= SILENCE_SECONDS and health.probed(
            await client.probe()
        ):
            delivery.retry_now()
        await asyncio.sleep(PROBE_PERIOD_SECONDS)
