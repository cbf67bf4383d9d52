"""What a scenario is, and how it is run from beginning to verdict."""

from __future__ import annotations

import asyncio
import random
import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.shipper.docker.real import (
    IMAGE,
    PrivateDaemon,
    RealDocker,
    need_image,
    own_daemon,
)

from .reckoning import count, settle
from .verdict import Row
from .world import World, opened


@dataclass(frozen=True)
class Scenario:
    """One way to break things; *run* does it and returns when all is healed.

    *settle* is how many seconds the shipper has after that until all must have
    arrived. *docker_loses* says that Docker itself may throw lines away. *daemon* are
    the options of a private daemon. *quota* is the size in bytes of a disk of its own
    for positions and spool. *lag* is the longest that a line may wait, in seconds,
    judged in the long form. *short* ones are part of ``make test``.
    """

    name: str
    run: Callable[[World], Awaitable[None]]
    settle: float = 90.0
    docker_loses: bool = False
    long_only: bool = False
    short: bool = False
    daemon: tuple[str, ...] | None = None
    quota: int = 0
    lag: float = 0.0


async def play(scenario: Scenario, seed: int, *, long: bool) -> Row:
    """Run *scenario* in a world of its own; the row says what came of it."""
    rng = random.Random(f"{seed}:{scenario.name}")
    try:
        async with _docker(scenario) as (docker, daemon):
            with _disk(scenario.quota) as state:
                async with opened(
                    docker, rng, long=long, state=state, daemon=daemon
                ) as world:
                    return await _judged(scenario, world)
    except pytest.skip.Exception as skipped:
        return Row(scenario.name, skipped=f"skipped: {skipped}")
    except Exception as error:  # noqa: BLE001  # the other scenarios are still played
        return Row(scenario.name, failures=[_told(error)])


async def _judged(scenario: Scenario, world: World) -> Row:
    begun = time.monotonic()
    try:
        await scenario.run(world)
    except Exception as error:  # noqa: BLE001  # what has arrived is still counted
        world.failures.append(_told(error))
    await settle(world, scenario.settle)
    if world.shipper.running:
        await world.shipper.terminate()
    loses = scenario.docker_loses
    row = await count(world, scenario.name, docker_loses=loses)
    row.seconds = time.monotonic() - begun
    row.judge(docker_loses=loses, memory=world.long)
    if scenario.lag and world.long and row.lag > scenario.lag:
        row.failures.append(f"lag over {scenario.lag:.0f} s")
    if row.failures:
        row.log = "\n".join([*world.diary.lines, world.shipper.tail(12)])
    return row


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


@asynccontextmanager
async def _docker(
    scenario: Scenario,
) -> AsyncIterator[tuple[RealDocker, PrivateDaemon | None]]:
    if scenario.daemon is None:
        with own_daemon() as docker:
            yield docker, None
        return
    with tempfile.TemporaryDirectory(prefix="chaos-daemon-") as name:
        daemon = PrivateDaemon(Path(name), scenario.daemon)
        await daemon.start()
        docker = RealDocker(daemon.socket, uuid.uuid4().hex)
        try:
            await asyncio.to_thread(_copy_image, daemon.socket)
            yield docker, daemon
        finally:
            # With --live-restore they would outlive their daemon.
            await _remove_all(docker)
            await daemon.stop()
            daemon.clean()


async def _remove_all(docker: RealDocker) -> None:
    label = f"label=shipper-test={docker.mark}"
    out, _ = await docker("ps", "-aq", "--filter", label, check=False)
    if ids := out.decode().split():
        await docker("rm", "-f", *ids, check=False)


def _copy_image(socket: str) -> None:
    need_image("/var/run/docker.sock")
    saved = subprocess.run(["docker", "save", IMAGE], capture_output=True, check=True)
    command = ["docker", "-H", f"unix://{socket}", "load"]
    subprocess.run(command, input=saved.stdout, capture_output=True, check=True)


@contextmanager
def _disk(size: int) -> Iterator[Path | None]:
    """Mount a disk of *size* bytes; skip where that is not permitted."""
    if not size:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="chaos-disk-") as name:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", name]
        done = subprocess.run(mount, capture_output=True, check=False)
        if done.returncode:
            pytest.skip(f"no disk can be mounted: {done.stderr.decode().strip()}")
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", name], capture_output=True, check=False)
