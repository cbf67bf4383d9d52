"""``sampling``: let a share of the lines through (promtail stages/sampling.go)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exporters.toolkit.decode import Problem
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop
from shipper.pipeline.weak import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The share that stays, 0 to 1; promtail drops every line when it is missing."""

    rate: Rate | None = None
    drop_counter_reason: str = ""

    def problems(self) -> Iterator[Problem]:
        if self.rate is None:
            yield Problem("sampling stage: rate is required, between 0.0 and 1.0")
        elif not 0.0 <= self.rate <= 1.0:  # nor NaN
            yield Problem(
                "sampling stage failed to parse rate,Sampling Rate must be between "
                f"0.0 and 1.0, received {self.rate:f}",
                ("rate",),
            )

    def build(self, workshop: Workshop) -> Filter:
        """Return the stage."""
        return _Sampling(self, workshop)


class _Sampling(Filter):
    """Tosses for every line."""

    def __init__(self, config: Config, workshop: Workshop) -> None:
        self._rate = config.rate or 0.0
        self._reason = config.drop_counter_reason or "sampling_stage"
        self._chance = workshop.chance
        self._meters = workshop.meters

    def apply(self, _: Record) -> bool:
        if self._chance() < self._rate:
            return True
        self._meters.dropped(self._reason)
        return False
