"""Lines as a log query shows them."""

from __future__ import annotations

from typing import NamedTuple

from shipper.logql.line import ERROR, ERROR_DETAILS, Line
from shipper.pipeline.entry import Labels, Metadata


class FoundLine(NamedTuple):
    """A line, with the labels that are not its stream's: stored and made of it."""

    timestamp_ns: int
    line: bytes
    metadata: Metadata = ()
    parsed: Labels = ()


class FoundStream(NamedTuple):
    """The lines that are shown under the same labels, and these printed."""

    labels: Labels
    text: str
    entries: list[FoundLine]


def found_line(line: Line, *, categorize: bool) -> tuple[Labels, FoundLine]:
    """Return the labels *line* is shown under, and the line.

    With *categorize* metadata and what parsers made is no part of the labels.
    """
    values = line.labels()
    if not categorize:
        labels = tuple(sorted(values.items()))
        return labels, FoundLine(line.timestamp, line.text)
    parsed = line.parsed | {ERROR, ERROR_DETAILS}
    metadata = line.metadata - parsed
    groups: tuple[list[tuple[str, str]], ...] = ([], [], [])
    for pair in values.items():
        name = pair[0]
        groups[1 if name in metadata else 2 if name in parsed else 0].append(pair)
    own, stored, made = groups
    shown = FoundLine(
        line.timestamp, line.text, tuple(sorted(stored)), tuple(sorted(made))
    )
    return tuple(sorted(own)), shown
