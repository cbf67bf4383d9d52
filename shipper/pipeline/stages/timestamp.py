"""``timestamp``: the time of a line is what was extracted (stages/timestamp.go)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exporters.toolkit.decode import Problem
from shipper.gotime import Location
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Emit, Workshop
from shipper.pipeline.times import Fudge, time_reader
from shipper.pipeline.values import text_of


_ACTIONS = ("skip", "fudge")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Where the time is and how it is written."""

    source: str = ""
    format: str = ""
    fallback_formats: tuple[str, ...] = ()
    location: str | None = None
    action_on_failure: str | None = None

    def problems(self) -> Iterator[Problem]:
        if not self.source:
            text = "timestamp source value is required if timestamp is specified"
            yield Problem(text, ("source",))
        if not self.format:
            yield Problem("timestamp format is required", ("format",))
        if self.location is not None:
            try:
                Location.load(self.location)
            except ValueError as error:
                text = f"invalid location specified: {error}"
                yield Problem(text, ("location",))
        if self.action_on_failure not in (None, *_ACTIONS):
            wanted = " ".join(_ACTIONS)
            text = f"invalid action on failure (supported values are [{wanted}])"
            yield Problem(text, ("action_on_failure",))

    def build(self, workshop: Workshop) -> Timestamp:
        """Return the stage."""
        return Timestamp(self, workshop)


class Timestamp:
    """Sets the time; a line without one keeps its own or is fudged."""

    def __init__(self, config: Config, workshop: Workshop) -> None:
        location = None if config.location is None else Location.load(config.location)
        formats = (config.format, *config.fallback_formats)
        self._read = time_reader(formats, location, workshop.now_ns)
        self._source = config.source
        self._fudge = None if config.action_on_failure == "skip" else Fudge()

    def wrap(self, emit: Emit) -> Emit:
        """Set it in front of *emit*."""
        source, read = self._source, self._read
        found = self._fudge.read if self._fudge else _ignore
        failed = self._fudge.failed if self._fudge else _ignore

        def step(record: Record) -> None:
            text = record.extracted.get(source)
            if type(text) is not str:  # nearly always it is
                text = text_of(text)
            try:
                if text is None:
                    failed(record)
                else:
                    record.timestamp_ns = read(text)
                    found(record)
            except ValueError:
                failed(record)
            emit(record)

        return step


def _ignore(record: Record) -> None:
    """Leave *record* the time that it has."""
