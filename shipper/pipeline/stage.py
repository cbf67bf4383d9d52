"""What a stage is. One module in ``stages/`` each, named as in promtail.yaml.

A module exports ``Config``: a frozen dataclass of the stage's keys that decodes itself
(``problems`` finds what types cannot see: a pattern, a template, a selector) and builds
the stage. Nothing else needs to know the module.
"""

from __future__ import annotations

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from prometheus_client.registry import Collector

from .custom_metrics import Book
from .record import Record


Emit = Callable[[Record], object]
"""Takes a record that goes on."""

Watch = Callable[[str, "Stage"], "Stage"]
"""Puts a spy around the stage of a name (``-inspect``)."""


class Stage(Protocol):
    """A step of a pipeline: gets records, hands on what becomes of them."""

    def wrap(self, emit: Emit) -> Emit:
        """Return what to call with a record; *emit* takes what goes on.

        Every record is handed on, or dropped (`Record.drop`), or held until another
        call; a record that is merged into another one is absorbed by it.
        """


class Filter(ABC):
    """A stage that changes a record in place and says whether it goes on."""

    @abstractmethod
    def apply(self, record: Record) -> bool:
        """Change *record*; return False to drop it, having counted that."""

    def wrap(self, emit: Emit) -> Emit:
        """Hand on what `apply` keeps (see `Stage.wrap`)."""
        apply = self.apply

        def step(record: Record) -> None:
            if apply(record):
                emit(record)
            else:
                record.drop()

        return step


class Holder(Stage, Protocol):
    """A stage that keeps records back for a while (multiline, cri)."""

    def deadline(self) -> float | None:
        """Return when something must go at the latest (monotonic), None: nothing."""

    def release(self, now: float | None) -> None:
        """Hand on what is due at *now*; everything when that is None."""


class Meters(Protocol):
    """What pipelines count."""

    @property
    def custom(self) -> Book:
        """The metrics that the user has stages count in."""

    def dropped(self, reason: str, count: int = 1) -> None:
        """Count in ``logentry_dropped_lines_total{reason}``."""

    def dropped_by_label(self, name: str, value: str) -> None:
        """Count in ``logentry_dropped_lines_by_label_total``."""

    def register(self, collector: Collector) -> None:
        """Show the metrics of *collector*, for as long as the pipeline lives."""


class NoMeters:
    """Count nothing."""

    def __init__(self) -> None:
        self.custom = Book()

    def dropped(self, reason: str, count: int = 1) -> None:
        """Ignore *reason* and *count*."""

    def dropped_by_label(self, name: str, value: str) -> None:
        """Ignore *name* and *value*."""

    def register(self, collector: Collector) -> None:
        """Ignore *collector*."""


@dataclass(slots=True)
class Workshop:
    """What a stage is built with: the clocks, chance, the meters of its pipeline.

    *now_ns* is the time since 1970, *monotonic* seconds that never go back.
    """

    meters: Meters = field(default_factory=NoMeters)
    now_ns: Callable[[], int] = time.time_ns
    monotonic: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    watch: Watch | None = None
    holders: list[Holder] = field(default_factory=list)
    """Every stage that keeps records back adds itself here."""

    def finish(self, name: str, stage: Stage) -> Stage:
        """Return *stage* as it goes into the pipeline, with a spy if one is wanted."""
        return stage if self.watch is None else self.watch(name, stage)


@dataclass(frozen=True, slots=True)
class Given:
    """The configuration of a *stage* that is there already, for all pipelines."""

    stage: Stage

    def build(self, _: Workshop) -> Stage:
        """Return the stage."""
        return self.stage


class StageConfig(Protocol):
    """The keys of one stage."""

    def build(self, workshop: Workshop) -> Stage:
        """Return the stage; everything that can be wrong was found before."""
