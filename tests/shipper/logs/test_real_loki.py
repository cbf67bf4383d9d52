"""The promises of `logs`, asked of the real Loki that ``LOKI=`` names."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.shipper.logs.conftest import COMMAND, Store
from tests.store.test_contract import LOKI_CONFIG


pytestmark = [
    pytest.mark.oracle,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not os.environ.get("LOKI"), reason="LOKI= names no Loki"),
]


class Loki(Store):
    """The real one, on one port and one folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._folder = folder
        text = LOKI_CONFIG.format(port=self.port, folder=folder)
        (folder / "loki.yaml").write_text(text)

    async def start(self, **_: object) -> None:
        self._log = (self._folder / "log").open("ab")
        self._process = await asyncio.create_subprocess_exec(
            os.environ["LOKI"], f"-config.file={self._folder}/loki.yaml",
            stdout=self._log, stderr=self._log,
        )  # fmt: skip
        async with asyncio.timeout(90), aiohttp.ClientSession() as session:
            while not await self._is_ready(session):  # noqa: ASYNC110 -- a process
                await asyncio.sleep(0.2)

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"{self.address}/ready") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            assert self._process.returncode is None, "Loki ended"
            return False

    async def stop(self) -> None:
        self._process.terminate()
        await self._process.wait()
        self._log.close()


@pytest.fixture
async def loki(tmp_path: Path) -> AsyncIterator[Loki]:
    one = Loki(tmp_path)
    await one.start()
    yield one
    await one.stop()


async def test_pages_and_a_follow_over_a_restart(loki: Loki) -> None:
    now = time.time_ns() - 60 * 10**9
    chance = random.Random(1)
    at, values = now, []
    for number in range(7000):
        at += chance.choice((0, 0, 0, 1))
        values.append((at, f"line {number}"))
    # More lines of one time than Loki gives at once: read from both its ends.
    values += [(at + 5, f"same {number}") for number in range(6000)]
    time_of = {text: at for at, text in values}
    for first in range(0, len(values), 2000):
        await loki.push(values[first : first + 2000])
    for flags in ((), ("--newest-first",)):
        shown = await run(loki, "web", "--limit=0", *flags)
        # Lines of one time come in an order of Loki's own.
        assert sorted(shown) == sorted(text for _, text in values)
        times = [time_of[text] for text in shown]
        assert times == sorted(times, reverse=bool(flags))
    await followed(loki)


async def run(loki: Loki, *argv: str) -> list[str]:
    process = await start(loki, *argv)
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    return out.decode().splitlines()


async def start(loki: Loki, *argv: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", COMMAND, *argv, "-o", "raw", "-q", "--addr", loki.address,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def followed(loki: Loki) -> None:
    process = await start(loki, "web", "-f", "--limit=1")
    assert process.stdout is not None
    async with asyncio.timeout(120):
        assert (await process.stdout.readline()).startswith(b"same ")
        for number in range(2):
            values = [(time.time_ns() + n // 3, f"{number} {n}") for n in range(300)]
            await loki.push(values)
            shown = [(await process.stdout.readline()).decode() for _ in values]
            assert sorted(shown) == sorted(f"{text}\n" for _, text in values)
            if number == 0:
                await loki.stop()
                await loki.start()
    process.kill()
    await process.wait()
