"""The shipper over all its lives: started, killed, watched, and summed up."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp

from .diary import Diary
from .programs import Program


MEMORY_SECONDS = 0.2
SCRAPE_SECONDS = 1.0
GAPS = "shipper_gaps_total"
DROPS = "promtail_dropped_entries_total"
COUNTED = (GAPS, DROPS)
_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_NAME = re.compile(r'name="((?:[^"\\]|\\.)*)"')


class Sample(NamedTuple):
    """One line of a metrics page."""

    name: str
    labels: str
    value: float


def samples(text: str) -> Iterator[Sample]:
    """Yield the samples of a page in the text format."""
    for match in _SAMPLE.finditer(text):
        yield Sample(match[1], match[2] or "", float(match[3]))


def total(page: list[Sample], name: str) -> float | None:
    """Return the sum of the samples called *name*; None when there are none."""
    values = [sample.value for sample in page if sample.name == name]
    return sum(values) if values else None


class Shipper(Program):
    """``python -m shipper`` on one configuration, with what it said of itself."""

    name = "shipper"

    def __init__(
        self, folder: Path, config: Path, port: int, spool: Path, diary: Diary
    ) -> None:
        super().__init__(folder / "shipper.log", diary)
        self.port = port
        self.config = config
        self.spool = spool
        self.peak_kib = 0
        self.lags: dict[str, float] = {}
        self.counted: Counter[str] = Counter()
        self.longest_stop = 0.0
        self.lives = 0
        self.crashes: list[str] = []
        self._life: dict[str, float] = {}

    def command(self) -> list[str]:
        return [
            sys.executable, "-m", "shipper",
            f"-config.file={self.config}",
            f"-spool.dir={self.spool}",
        ]  # fmt: skip

    async def start(self) -> None:
        """Begin a life; it may not answer yet."""
        self.lives += 1
        self._life = {}
        await super().start()

    async def kill(self) -> None:
        """End this life with SIGKILL, after a last look at what it counted."""
        await self.scrape(0.3)
        await self._end(signal.SIGKILL)

    async def terminate(self) -> float:
        """End this life with SIGTERM; return the seconds that took."""
        await self.scrape(1.0)
        seconds = await self._end(signal.SIGTERM)
        self.longest_stop = max(self.longest_stop, seconds)
        return seconds

    async def _end(self, number: int) -> float:
        self.sample_memory()
        process = self.process
        seconds = await self.stop(number)
        if process is not None and process.returncode not in (0, -number):
            self.crashes.append(f"signal {number} ended with {process.returncode}")
        self.counted.update({n: int(value) for n, value in self._life.items()})
        self._life = {}
        return seconds

    async def until_up(self, seconds: float = 30) -> None:
        """Wait until the metrics page answers."""
        async with asyncio.timeout(seconds):
            while not await self.scrape(1.0):  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.1)

    async def scrape(self, seconds: float) -> list[Sample]:
        """Return the metrics page and remember what is summed over lives."""
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session:
                url = f"http://127.0.0.1:{self.port}/metrics"
                async with session.get(url) as answer:
                    page = list(samples(await answer.text()))
        except (aiohttp.ClientError, TimeoutError):
            return []
        self._life = {name: total(page, name) or 0.0 for name in COUNTED}
        for sample in page:
            if sample.name == "shipper_lag_seconds":
                match = _NAME.search(sample.labels)
                name = match[1] if match else ""
                self.lags[name] = max(self.lags.get(name, 0.0), sample.value)
        return page

    def sample_memory(self) -> None:
        """Remember the highest resident memory of this life so far."""
        if self.process is None:
            return
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{self.process.pid}/status").read_text()
            match = re.search(r"VmHWM:\s+(\d+) kB", text)
            if match:
                self.peak_kib = max(self.peak_kib, int(match[1]))

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Sample memory and metrics inside; end the process after."""
        tasks = [
            asyncio.create_task(self._watch_memory()),
            asyncio.create_task(self._watch_metrics()),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self.running:
                await self.terminate()

    async def _watch_memory(self) -> None:
        while True:
            self.sample_memory()
            process = None if self.stopping else self.process
            if process is not None and process.poll() is not None:
                self.crashes.append(f"it ended by itself with {process.returncode}")
                self.process = None
            await asyncio.sleep(MEMORY_SECONDS)

    async def _watch_metrics(self) -> None:
        while True:
            if self.running:
                await self.scrape(SCRAPE_SECONDS * 3)
            await asyncio.sleep(SCRAPE_SECONDS)
