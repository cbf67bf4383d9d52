"""The gauges of one collector, whose HELP texts are in a table beside its code."""

from __future__ import annotations

from collections.abc import Mapping

from exporters.node.families import Families


class Gauges(Families):
    """Families with the same first words in their names."""

    def __init__(self, prefix: str, helps: Mapping[str, str]) -> None:
        """Begin with none; *helps* are the HELP texts by name without *prefix*."""
        super().__init__()
        self._prefix = prefix
        self._helps = helps

    def add(self, name: str, value: float | None, labels: Mapping[str, str]) -> None:
        """Add a sample to the gauge *name*, unless there is no *value*."""
        if value is not None:
            self.gauge(self._prefix + name, self._helps[name], value, labels)
