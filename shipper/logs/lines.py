"""A line as Loki answers it, and the reading of its answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from shipper.pipeline.entry import Labels

from .errors import LogsError


NOT_LOKI: Final = "the answer is not one of Loki"


class Line(NamedTuple):
    """One log line. *labels* name its stream, *extra* is beside or parsed out of it."""

    timestamp_ns: int
    labels: Labels
    text: str
    extra: Labels = ()

    @property
    def everything(self) -> dict[str, str]:
        """Return all labels; what the stream says wins."""
        return {**dict(self.extra), **dict(self.labels)}


def parse_streams(streams: Any, *, forward: bool) -> list[Line]:
    """Return the lines of *streams*, oldest first, whatever order they come in.

    Lines of one time and stream keep the order in which they were stored.

    Raises:
        LogsError: *streams* is not the list Loki sends.
    """
    try:
        lines = [
            line for stream in streams for line in _lines(stream, 1 if forward else -1)
        ]
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise LogsError(f"{NOT_LOKI}: {type(error).__name__} in its streams") from None
    lines.sort(key=lambda line: line.timestamp_ns)
    return lines


def _lines(stream: Mapping[str, Any], step: int) -> Iterator[Line]:
    labels = _pairs(stream["stream"])
    for timestamp, text, *more in stream["values"][::step]:
        extra = _extra(more[0]) if more else ()
        yield Line(int(timestamp), labels, str(text), extra)


def _extra(parts: Mapping[str, Mapping[str, Any]]) -> Labels:
    found = {**parts.get("structuredMetadata", {}), **parts.get("parsed", {})}
    return _pairs(found)


def _pairs(labels: Mapping[str, Any]) -> Labels:
    return tuple(sorted((str(name), str(value)) for name, value in labels.items()))
