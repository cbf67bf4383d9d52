"""From the section ``journal`` of a job to its `JournalSource`."""

from __future__ import annotations

from collections.abc import Sequence

from .config.journal import JournalConfig
from .journal.labels import Labeller
from .journal.metrics import Meters
from .journal.source import JournalSettings, JournalSource
from .pipeline.entry import Sink
from .positions import Positions
from .relabel import RelabelConfig


def journal_source(
    job: str,
    config: JournalConfig,
    rules: Sequence[RelabelConfig],
    *,
    positions: Positions,
    sink: Sink,
    meters: Meters,
) -> JournalSource:
    """Return what reads the journal for *job*."""
    settings = JournalSettings(
        path=config.path,
        matches=tuple(config.matches.split()),
        as_json=config.json,
        max_age_seconds=config.max_age,
    )
    labeller = Labeller(config.labels, rules)
    return JournalSource(
        job, settings, labeller, positions=positions, sink=sink, meters=meters
    )
