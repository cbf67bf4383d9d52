"""Ask a Loki for its limits: at the start, now and then, and when it is back."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, Protocol

from .config_page import (
    CONFIG,
    TENANT_LIMITS,
    TenantLimits,
    parse_config,
    parse_tenant_limits,
)
from .health import Health
from .knowledge import Knowledge
from .page import Page


log = logging.getLogger(__name__)

PERIOD_SECONDS: Final = 600.0
TICK_SECONDS: Final = 5.0


class Asker(Protocol):
    """Gets pages for its tenant; `PushClient` in the program."""

    @property
    def tenant(self) -> str:
        """Return whose pages they are, unless a line names another tenant."""

    async def page(self, name: str) -> Page | None:
        """Return the page *name* beside the push path; None: there is none."""


async def learn(client: Asker, health: Health, knowledge: Knowledge) -> None:
    """Keep *knowledge* of the Loki of *client* fresh, until cancelled."""
    knowledge.expect()
    while True:
        await ask(client, knowledge)
        await _next_time(health)


async def ask(client: Asker, knowledge: Knowledge) -> None:
    """Ask once. What cannot be had is not known, which is no trouble."""
    page = await client.page(CONFIG)
    config = parse_config(page.text) if page else None
    if page is None or config is None:
        log.debug("Loki does not show its limits, its refusals will tell")
        knowledge.answered(None)
        return
    limits = TenantLimits(config.limits)
    if config.overridden:  # perhaps with wider ones: only the tenant's own count
        own = await client.page(TENANT_LIMITS)
        found = parse_tenant_limits(own.text) if own else None
        limits = TenantLimits(own={client.tenant: found} if found else {})
    knowledge.answered(limits, page.date_ns)


async def _next_time(health: Health) -> None:
    """Wait for ten minutes, or until Loki is back after it was away."""
    away = not health.reachable
    for _ in range(int(PERIOD_SECONDS / TICK_SECONDS)):
        await asyncio.sleep(TICK_SECONDS)
        if away and health.reachable:
            return
        away = not health.reachable
