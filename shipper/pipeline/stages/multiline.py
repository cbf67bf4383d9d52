"""``multiline``: join a line and those that belong to it (stages/multiline.go)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from exporters.toolkit.decode import Problem
from exporters.toolkit.duration import parse_go_duration
from exporters.toolkit.regex import Regex, RegexError
from shipper.pipeline.held import Block, Joiner, Key
from shipper.pipeline.record import Extracted, Record
from shipper.pipeline.stage import Workshop
from shipper.pipeline.text import search
from shipper.pipeline.weak import Count


MAX_STREAMS = 10_000
"""Streams of which the last first line is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a first line looks like, and how long and how many lines to wait for."""

    firstline: str | None = None
    max_wait_time: str | None = None
    max_lines: Count = 128

    def problems(self) -> Iterator[Problem]:
        yield from self._firstline_problems()
        try:
            self.wait_seconds()
        except ValueError as error:
            text = f"multiline stage `max_wait_time` parse error: {error}"
            yield Problem(text, ("max_wait_time",))
        if self.max_lines < 0:
            text = "multiline stage `max_lines` must not be negative"
            yield Problem(text, ("max_lines",))

    def _firstline_problems(self) -> Iterator[Problem]:
        if self.firstline is None:
            text = "multiline stage config must define `firstline` regular expression"
            yield Problem(text)
            return
        try:
            Regex(self.firstline)
        except RegexError as error:
            text = f"multiline stage first line regex compilation error: {error}"
            yield Problem(text, ("firstline",))

    def wait_seconds(self) -> float:
        """Return how long to wait for another line. Raises ValueError."""
        wait = "3s" if self.max_wait_time is None else self.max_wait_time
        return parse_go_duration(wait)

    def build(self, workshop: Workshop) -> Multiline:
        """Return the stage."""
        stage = Multiline(self, workshop)
        workshop.holders.append(stage)
        return stage


class _Start(NamedTuple):
    """What a first line gives to all blocks until the next one."""

    timestamp_ns: int
    extracted: Extracted


class Multiline(Joiner):
    """Keeps a block per stream until its next first line or until it is silent.

    As in promtail a block that got too long or too old is handed on, and lines that
    still come make further blocks, with the time of the same first line. Until the
    first one of a stream, lines pass.
    """

    def __init__(self, config: Config, workshop: Workshop) -> None:
        super().__init__(config.wait_seconds())
        self._first_line = Regex(config.firstline or "")
        self._max_lines = config.max_lines  # 0 is without a limit
        self._now = workshop.monotonic
        self._starts: OrderedDict[Key, _Start] = OrderedDict()

    def _step(self, record: Record) -> None:
        key = record.stream
        if search(self._first_line, record.line):
            self._finish(key)
            self._remember(key, record)
        elif self._held.get(key) is None:
            start = self._starts.get(key)
            if start is None:
                self._emit(record)
                return
            record.timestamp_ns = start.timestamp_ns
            record.extracted = dict(start.extracted)
        self._append(key, record)

    def _append(self, key: Key, record: Record) -> None:
        block = self._held.get(key)
        if block is None:
            block = self._held.start(key, record, self._now())
        else:
            self._held.add(key, record.line, self._now())
            block.record.absorb(record)
        if len(block.lines) == self._max_lines:
            self._finish(key)
        self._make_room()

    def _whole(self, block: Block) -> Record:
        return block.joined("\n")

    def _remember(self, key: Key, record: Record) -> None:
        starts = self._starts
        starts[key] = _Start(record.timestamp_ns, dict(record.extracted))
        starts.move_to_end(key)
        if len(starts) > MAX_STREAMS:
            starts.popitem(last=False)
