"""A pipeline from YAML, a sink that remembers, a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client.registry import Collector

from exporters.toolkit.decode import decode
from shipper.pipeline.custom_metrics import Book
from shipper.pipeline.entry import AlwaysRoom, Cursor, Entry, Labels, Metadata
from shipper.pipeline.labelset import LabelSet
from shipper.pipeline.pipeline import Pipeline, assemble, chain
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Workshop
from shipper.pipeline.stages import StageEntry


NOW_NS = 1_700_000_000_123_456_789
"""When every line is read, unless a test says otherwise."""


@dataclass(frozen=True)
class Stages:
    """``pipeline_stages`` alone."""

    pipeline_stages: tuple[StageEntry, ...] = ()


def configs(text: str) -> tuple[Any, ...]:
    """Return the stages of the YAML list *text*. Raises DecodeError."""
    indented = "".join(f"  {line}\n" for line in text.splitlines())
    document = f"pipeline_stages:\n{indented}".encode()
    return decode(document, Stages, "config.yaml").pipeline_stages


@dataclass
class Counts:
    """Meters that remember."""

    reasons: dict[str, int] = field(default_factory=dict)
    labels: dict[tuple[str, str], int] = field(default_factory=dict)
    collectors: list[Collector] = field(default_factory=list)
    custom: Book = field(default_factory=Book)

    def dropped(self, reason: str, count: int = 1) -> None:
        self.reasons[reason] = self.reasons.get(reason, 0) + count

    def dropped_by_label(self, name: str, value: str) -> None:
        self.labels[name, value] = self.labels.get((name, value), 0) + 1

    def register(self, collector: Collector) -> None:
        self.collectors.append(collector)


@dataclass
class Clock:
    """Both clocks of a workshop; moved by the test."""

    ns: int = NOW_NS

    def now_ns(self) -> int:
        return self.ns

    def monotonic(self) -> float:
        return self.ns / 1e9

    def advance(self, seconds: float) -> None:
        self.ns += round(seconds * 1e9)


@dataclass
class Out:
    """One record as it left the stages."""

    labels: dict[str, str]
    timestamp_ns: int
    line: str
    extracted: dict[str, Any]
    metadata: Metadata


@dataclass
class Rig:
    """Stages without a sink: what goes in, what comes out, what was dropped."""

    text: str
    clock: Clock = field(default_factory=Clock)
    counts: Counts = field(default_factory=Counts)
    chance: Callable[[], float] = lambda: 0.5
    out: list[Out] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    key: int = 0

    def __post_init__(self) -> None:
        self.workshop = Workshop(
            self.counts, self.clock.now_ns, self.clock.monotonic, self.chance
        )
        self._run = chain(assemble(configs(self.text), self.workshop), self._emit)

    def feed(
        self,
        line: str,
        labels: Mapping[str, str] | None = None,
        *,
        timestamp_ns: int | None = None,
        metadata: Metadata = (),
    ) -> list[Out]:
        """Return what comes out now for *line*."""
        before = len(self.out)
        record = Record(
            LabelSet.of(labels if labels is not None else {"job": "test"}),
            self.clock.ns if timestamp_ns is None else timestamp_ns,
            line,
            metadata=metadata,
            origin=self,
            slots=[line],
        )
        self._run(record)
        return self.out[before:]

    def feed_all(self, lines: Iterable[str]) -> list[Out]:
        before = len(self.out)
        for line in lines:
            self.feed(line)
        return self.out[before:]

    def release(self, *, everything: bool = False) -> list[Out]:
        """Return what stages that hold records back let go of at this time."""
        before = len(self.out)
        for holder in self.workshop.holders:
            holder.release(None if everything else self.clock.monotonic())
        return self.out[before:]

    def decided(self, record: Record) -> None:
        self.dropped += record.slots

    def _emit(self, record: Record) -> None:
        self.delays.append(record.delay_seconds)
        self.out.append(
            Out(
                dict(record.labels.pairs),
                record.timestamp_ns,
                record.line,
                dict(record.extracted),
                record.metadata,
            )
        )


@pytest.fixture
def rig() -> Callable[..., Rig]:
    """Return what makes a `Rig` of YAML."""
    return Rig


@dataclass
class Journal:
    """A cursor that counts what it was told."""

    acknowledged: int = 0

    def acknowledge(self, entries: Sequence[Entry]) -> None:
        assert entries, "an empty acknowledgement means nothing"
        self.acknowledged += len(entries)


@dataclass
class Memory(AlwaysRoom):
    """A sink that keeps entries; `settle` acknowledges the oldest ones."""

    entries: list[tuple[Labels, Entry]] = field(default_factory=list)
    _waiting: list[tuple[Cursor, Entry]] = field(default_factory=list)

    async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
        self.entries.append((labels, entry))
        self._waiting.append((cursor, entry))

    def settle(self, count: int | None = None) -> None:
        count = len(self._waiting) if count is None else count
        done, self._waiting = self._waiting[:count], self._waiting[count:]
        for cursor, entry in done:
            cursor.acknowledge([entry])

    @property
    def lines(self) -> list[str]:
        return [entry.line.decode() for _, entry in self.entries]


def pipeline(text: str, sink: Memory, clock: Clock | None = None) -> Pipeline:
    """Return the pipeline of the YAML list *text* in front of *sink*."""
    clock = clock or Clock()
    workshop = Workshop(Counts(), clock.now_ns, clock.monotonic, lambda: 0.5)
    return Pipeline(configs(text), workshop, sink)
