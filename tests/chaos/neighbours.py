"""Scenarios: one container that Loki never takes, beside healthy ones."""

from __future__ import annotations

from .plan import Plan
from .scenario import Scenario
from .world import World


TENANT = "refused"


async def refused(world: World) -> None:
    """A tenant gets 401, labels are too long, one is too loud: the others do not wait.

    In the end the tenant is let in, and its lines must all arrive.
    """
    seconds = 30 if world.long else 5
    world.proxy.refused_tenants.add(TENANT)
    tenant = Plan(
        "tenant", 200 * seconds, 400, options=("--label", f"chaos.tenant={TENANT}")
    )
    long = Plan(
        "long", 200 * seconds, 400, refused=True,
        options=("--label", "chaos.long=" + "v" * 3000),
    )  # fmt: skip
    loud = Plan("loud", 4000 * seconds, 8000, pad=1000)
    healthy = [Plan(f"w{n}", 400 * seconds, 800) for n in range(3)]
    plans = [tenant, long, *([loud] if world.long else []), *healthy]
    world.slow = {
        world.writers.container_name(name) for name in ("tenant", "long", "loud")
    }
    await world.writers.finish(*[await world.write(plan) for plan in plans])
    world.proxy.refused_tenants.clear()
    world.diary("proxy: the tenant is let in")


SCENARIOS = (Scenario("neighbours", refused, settle=240, lag=10.0, short=True),)
