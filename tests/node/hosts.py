"""Run a collector over a host that is a few lines of text (see tree.py)."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from exporters.node import calls
from exporters.node.registry import CollectorSpec, Context
from exporters.toolkit.flags import Program
from tests.node import golden


class Seen(NamedTuple):
    """What a collector gave, ``name{label="value"}`` -> value, and what it raised."""

    values: dict[str, float]
    error: BaseException | None


def collect(spec: CollectorSpec, host: str, root: Path, *argv: str) -> Seen:
    """Plant *host* below *root*, which has to be empty, and run *spec* once on it."""
    program = Program("node_exporter", "", (spec.switch, *spec.flags))
    where = golden.planted(host, root)
    outcome = calls.run(spec.create(Context(where, program.parse(argv, {}))))
    values: dict[str, float] = {}
    for metric in outcome.metrics:
        for sample in metric.samples:
            labels = ",".join(f'{k}="{v}"' for k, v in sample.labels.items())
            name = f"{sample.name}{{{labels}}}" if labels else sample.name
            values[name] = sample.value
    return Seen(values, outcome.error)
