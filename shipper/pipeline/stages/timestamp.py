"""``timestamp``: the time of a line is what was extracted (stages/timestamp.go)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exporters.toolkit.decode import Problem
from shipper.gotime import Location
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop
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


class Timestamp(Filter):
    """Sets the time; a line without one keeps its own or is fudged."""

    def __init__(self, config: Config, workshop: Workshop) -> None:
        location = None if config.location is None else Location.load(config.location)
        formats = (config.format, *config.fallback_formats)
        self._read = time_reader(formats, location, workshop.now_ns)
        self._source = config.source
        self._fudge = None if config.action_on_failure == "skip" else Fudge()

    def apply(self, record: Record) -> bool:
        """Set it."""
        text = text_of(record.extracted.get(self._source))
        try:
            time_ns = None if text is None else self._read(text)
        except ValueError:
            time_ns = None
        if time_ns is not None:
            record.timestamp_ns = time_ns
        if self._fudge and time_ns is not None:
            self._fudge.read(record)
        elif self._fudge:
            self._fudge.failed(record)
        return True
