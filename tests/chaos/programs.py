"""The shipper and the store as processes that can be killed and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import aiohttp

from tests.store.test_contract import LOKI_CONFIG, free_port

from .diary import Diary


ROOT = Path(__file__).resolve().parents[2]
LOKI_LIMITS = """
limits_config:
  ingestion_rate_mb: 64
  ingestion_burst_size_mb: 128
  max_entries_limit_per_query: 50000
  max_query_series: 5000
"""
GRACE_SECONDS = 30.0


class Program:
    """One command whose output goes to *log*; started, stopped, started again."""

    name = "program"

    def __init__(self, log: Path, diary: Diary) -> None:
        self.log = log
        self.diary = diary
        self.process: subprocess.Popen[bytes] | None = None
        self.stopping = False

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def command(self) -> list[str]:
        """Return what to run."""
        raise NotImplementedError

    async def start(self) -> None:
        """Run the command."""
        assert not self.running
        self.diary(f"{self.name}: start")
        self.process = await asyncio.to_thread(self._spawn)

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self.command(), cwd=ROOT, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log,
            )  # fmt: skip

    async def stop(self, number: int = signal.SIGTERM) -> float:
        """End the process with signal *number*; return the seconds that took.

        After 30 s it is killed.
        """
        process, begun = self.process, time.monotonic()
        if process is None:
            return 0.0
        self.stopping = True
        self.diary(f"{self.name}: signal {number}")
        process.send_signal(number)
        try:
            await asyncio.to_thread(process.wait, GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)
        self.process, self.stopping = None, False
        return time.monotonic() - begun

    def tail(self, count: int = 5) -> str:
        """Return the end of what it wrote."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])


class Store(Program):
    """The embedded store, or the Loki that ``LOKI=`` names."""

    name = "store"

    def __init__(self, folder: Path, diary: Diary) -> None:
        super().__init__(folder / "store.log", diary)
        self.folder = folder
        self.port = free_port()
        self.loki = os.environ.get("LOKI")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        if self.loki:
            config = self.folder / "loki.yaml"
            text = LOKI_CONFIG.format(port=self.port, folder=self.folder / "loki")
            config.write_text(text + LOKI_LIMITS)
            return [self.loki, f"-config.file={config}"]
        return [
            sys.executable, "-m", "shipper.store",
            f"--storage.path={self.folder}/store.db",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--distributor.ingestion-rate-limit-mb=64",
            "--distributor.ingestion-burst-size-mb=128",
            "--validation.max-entries-limit=50000",
        ]  # fmt: skip

    async def start(self) -> None:
        """Run it and wait until it is ready, 120 s at most."""
        await super().start()
        async with asyncio.timeout(120), aiohttp.ClientSession() as session:
            while not await self._ready(session):
                assert self.running, f"the store ended: {self.tail()}"
                await asyncio.sleep(0.1)

    async def _ready(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(self.url + "/ready") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False
