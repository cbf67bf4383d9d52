"""Where the values that are wanted stand in a line.

Lines come in few layouts: one for each ``log_format``. To find out anew for each line
which of the possible names it has would take a quarter of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exporters.nginx.access_log.counts.measures import MEASURES
from exporters.nginx.access_log.lines.fields import place_of
from exporters.nginx.access_log.lines.relabel import Mapper, Rule


Place = Any  # of a value in a record: a key of JSON, a number in a text format


@dataclass(frozen=True, slots=True)
class Layout:
    """What to take from a record, and what to make of it.

    *labels* are the number of a label, the place of its source and its mapper;
    *measures* the number of a measure, the place of its value and its parser.
    """

    labels: tuple[tuple[int, Place, Mapper], ...]
    measures: tuple[tuple[int, Place, Callable[[object], float | None]], ...]


def layout(rules: Sequence[Rule], places: Mapping[str, Place]) -> Layout:
    """Return the layout of lines whose fields are at *places*, by name."""
    labels = [
        (index, place_of(rule.fields, places), rule.map)
        for index, rule in enumerate(rules)
    ]
    measures = [
        (index, place_of(measure.fields, places), measure.parse)
        for index, measure in enumerate(MEASURES)
    ]
    return Layout(
        tuple(each for each in labels if each[1] is not None),
        tuple(each for each in measures if each[1] is not None),
    )
