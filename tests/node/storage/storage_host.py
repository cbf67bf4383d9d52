"""One scrape of a host in a tree, with what was served and what it failed for."""

from __future__ import annotations

from pathlib import Path

from exporters.node import calls
from exporters.node.calls import Outcome
from exporters.node.registry import CollectorSpec, Context
from exporters.toolkit.flags import Program
from tests.node import golden


Samples = dict[tuple[str, ...], float]
"""(family without its beginning, values of labels ...) -> value."""


def scrape(spec: CollectorSpec, root: Path, text: str, *argv: str) -> Outcome:
    """Plant *text* below *root* and run the collector of *spec* on it."""
    program = Program("node_exporter", "", (spec.switch, *spec.flags))
    where = golden.planted(text, root)
    return calls.run(spec.create(Context(where, program.parse(argv, {}))))


def samples(outcome: Outcome, prefix: str) -> Samples:
    """Return the samples of *outcome*, whose names begin with *prefix*."""
    return {
        (sample.name.removeprefix(prefix), *sample.labels.values()): sample.value
        for family in outcome.metrics
        for sample in family.samples
    }
