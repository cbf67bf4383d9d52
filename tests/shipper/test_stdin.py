from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from exporters.toolkit.decode import decode
from shipper.config.scrape import ScrapeConfig
from shipper.stdin import DEFAULT_JOB, StdinSource, stdin_labels
from tests.shipper.pipeline.conftest import NOW_NS, Memory


JOB = b"""
job_name: a
static_configs:
  - labels: {job: web, __path__: /x}
  - labels: {env: prod}
"""


class Pipe:
    """What is piped in, and what became of it."""

    def __init__(self) -> None:
        self.read, self.write = os.pipe()
        self.sink = Memory()
        self.ended = asyncio.Event()
        self.source = StdinSource(
            decode(JOB, ScrapeConfig, "c.yaml"),
            self.sink,
            self.ended.set,
            descriptor=self.read,
            now_ns=lambda: NOW_NS,
        )


@asynccontextmanager
async def piped() -> AsyncIterator[Pipe]:
    pipe = Pipe()
    task = asyncio.create_task(pipe.source.run())
    try:
        async with asyncio.timeout(10):
            yield pipe
    finally:
        pipe.source.stop_reading()
        await task
        for descriptor in (pipe.read, pipe.write):
            try:
                os.close(descriptor)
            except OSError:
                continue


async def test_every_line_but_empty_ones_to_the_end() -> None:
    async with piped() as pipe:
        os.write(pipe.write, b"one\n\r\n\ntwo\r\r\nno new")
        os.write(pipe.write, b"line")
        os.close(pipe.write)
        await pipe.ended.wait()
    assert pipe.sink.lines == ["one", "two", "no newline"]
    assert {labels for labels, _ in pipe.sink.entries} == {
        (("env", "prod"), ("job", "web"))
    }
    stamps = [entry.timestamp_ns for _, entry in pipe.sink.entries]
    assert stamps == [NOW_NS, NOW_NS + 1, NOW_NS + 2]


async def test_a_stop_does_not_wait_for_input() -> None:
    async with piped() as pipe:
        pipe.source.stop_reading()
    assert not pipe.ended.is_set()


def test_labels_without_a_job() -> None:
    assert [name for name, _ in stdin_labels(DEFAULT_JOB)] == ["hostname", "job"]


async def test_is_always_ready() -> None:
    source = StdinSource(DEFAULT_JOB, Memory(), lambda: None)
    assert source.not_ready() is None
    [target] = source.targets()
    assert (target.job, target.name) == ("stdin", "stdin")
