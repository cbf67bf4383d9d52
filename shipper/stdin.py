"""``-stdin``: lines that are piped in (promtail targets/stdin).

The first job gives stages and the labels of its ``static_configs``; its rules and its
other sources do not count. At the end of the input the program ends.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from .config.scrape import ScrapeConfig
from .config.static import StaticConfig
from .files.clock import LineClock
from .files.splitter import FileLine, LineSplitter
from .pipeline.entry import Entry, Labels, Sink, Untracked
from .source import Target


DEFAULT_JOB = ScrapeConfig(
    job_name="stdin",
    static_configs=(
        StaticConfig(labels={"job": "stdin", "hostname": socket.gethostname()}),
    ),
)
"""What promtail takes when the config file has no job."""

CHUNK_BYTES = 1 << 16


def stdin_labels(job: ScrapeConfig) -> Labels:
    """Return the labels of everything that comes in, without ``__`` names."""
    labels: dict[str, str] = {}
    for config in job.static_configs:
        labels |= config.labels
    return tuple(sorted(p for p in labels.items() if not p[0].startswith("__")))


class StdinSource:
    """Implements `shipper.source.Source`; *ended* is called at the end of the input."""

    def __init__(
        self,
        job: ScrapeConfig,
        sink: Sink,
        ended: Callable[[], object],
        *,
        descriptor: int = 0,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Read *descriptor* (it may block) as lines of *job*."""
        self.job = job.job_name
        self._labels = stdin_labels(job)
        self._sink = sink
        self._ended = ended
        self._descriptor = descriptor
        self._clock = LineClock(now_ns)
        self._cursor = Untracked()
        self._stopping = asyncio.Event()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="stdin")

    async def run(self) -> None:
        """Read to the end of the input, or until `stop_reading`."""
        stopping = asyncio.ensure_future(self._stopping.wait())
        reading = asyncio.ensure_future(self._read())
        try:
            await asyncio.wait([stopping, reading], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (stopping, reading):
                task.cancel()
            await asyncio.wait([stopping, reading])
            self._executor.shutdown(wait=False)
        if not reading.cancelled():
            reading.result()

    def stop_reading(self) -> None:
        """Stop intake at once."""
        self._stopping.set()

    def not_ready(self) -> str | None:
        """Be ready: what is piped in needs nobody to be asked."""
        return None

    def targets(self) -> Iterator[Target]:
        """Return the input as the only thing that is read."""
        streams = {"stdin": self._labels}
        yield Target(job=self.job, kind="stdin", name="stdin", streams=streams)

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        splitter = LineSplitter()
        while data := await loop.run_in_executor(
            self._executor, os.read, self._descriptor, CHUNK_BYTES
        ):
            await self._ship(splitter.feed(data))
        await self._ship(splitter.flush())
        self._ended()

    async def _ship(self, lines: Iterable[FileLine]) -> None:
        for line, _ in lines:
            # promtail takes every \r off, and leaves empty lines out, here only.
            if text := line.rstrip(b"\r"):
                entry = Entry(self._clock.stamp(), text)
                await self._sink.put(self._labels, entry, self._cursor)
