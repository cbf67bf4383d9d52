"""A scripted Loki, a clock that never waits, cursors that remember."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cramjam
import pytest

from shipper.loki.outcome import Answer
from shipper.pipeline.entry import Entry


@dataclass
class Journal:
    """A cursor that remembers what it was told."""

    acknowledged: list[Entry] = field(default_factory=list)

    def acknowledge(self, entries: Sequence[Entry]) -> None:
        assert entries, "an empty acknowledgement means nothing"
        self.acknowledged += entries


class Time:
    """Time that passes only when somebody waits for it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def pause(self, seconds: float, wake: asyncio.Event) -> None:
        """Let others run first; then, unless woken, be *seconds* later at once."""
        self.waits.append(seconds)
        for _ in range(5):
            await asyncio.sleep(0)
            if wake.is_set():
                return
        self.now += seconds


def decode(body: bytes) -> tuple[str, list[Entry]]:
    """Read a push the slow and simple way; only what `encode` can write."""
    message = bytes(cramjam.snappy.decompress_raw(body))
    labels, entries = "", []
    for number, value in _fields(_only(message)):
        if number == 1:
            labels = value.decode()
        else:
            (_, stamp), (_, line), *pairs = _fields(value)
            (_, seconds), (_, nanos) = _fields(stamp)
            time = int.from_bytes(seconds) * 1_000_000_000 + int.from_bytes(nanos)
            entries.append(Entry(time, line, tuple(_pair(text) for _, text in pairs)))
    return labels, entries


def _pair(message: bytes) -> tuple[str, str]:
    (_, name), (_, value) = _fields(message)
    return name.decode(), value.decode()


def _only(message: bytes) -> bytes:
    ((_, value),) = _fields(message)
    return value


def _fields(data: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0

    def varint() -> int:
        nonlocal at
        number = shift = 0
        while True:
            byte = data[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    while at < len(data):
        tag = varint()
        if tag & 7:
            size = varint()
            value = data[at : at + size]
            at += size
        else:
            value = varint().to_bytes(8)
        found.append((tag >> 3, value))
    return found


@dataclass
class Push:
    """One push as it arrived."""

    tenant: str
    labels: str
    entries: list[Entry]


class ScriptedLoki:
    """A `Pusher` whose answers a function decides; keeps what it said 204 to."""

    def __init__(self, script: Callable[[Push], Answer] | None = None) -> None:
        self.script = script or (lambda push: Answer(204))
        self.pushes: list[Push] = []
        self.stored: list[Push] = []
        self.hang = asyncio.Event()
        self.in_flight = self.most_in_flight = 0

    async def push(self, tenant: str, body: bytes) -> Answer:
        push = Push(tenant, *decode(body))
        self.pushes.append(push)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0)
            answer = self.script(push)
            if answer.status == 0:
                await self.hang.wait()
        finally:
            self.in_flight -= 1
        if answer.status == 204:
            self.stored.append(push)
        return answer


@pytest.fixture
def time() -> Time:
    return Time()
