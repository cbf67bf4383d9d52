"""The node exporters on this host, with the collectors that are on by default."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from benchmarks import programs
from benchmarks.compare import Aims, compare
from benchmarks.part import Section, Setting
from benchmarks.summary import Target


VARIABLES: Final = ("NODE_EXPORTER", "NODE_EXPORTER_SID", "NODE_EXPORTER_MASTER")
AIMS: Final = Aims(
    cpu=Target(0.5),
    p99=Target(0.8),
    rss=Target(1.5, ours=36 * 2**20),
    start=Target(ours=0.150),
)


def sections(setting: Setting) -> Iterator[Section]:
    """Yield a section for each original that is named."""
    for peer in programs.peers("node_exporter", *VARIABLES):
        pair, which = programs.node_pair(setting.python, peer.path)
        rows = tuple(compare(pair, setting.plan, setting.folder, AIMS))
        about = f"{peer.version}\n{which}"
        yield Section("node: default collectors", peer.name, about, rows)
