"""Which labels are worth showing beside a line: those that differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shipper.pipeline.entry import Labels

from .lines import Line


class Common:
    """The labels all lines so far had; what is not among them is shown."""

    def __init__(self) -> None:
        """Know of no line."""
        self._common: dict[str, str] | None = None
        self._known: set[tuple[Labels, Labels]] = set()

    @property
    def labels(self) -> Mapping[str, str]:
        """Return what all lines have."""
        return self._common or {}

    def learn(self, lines: Iterable[Line]) -> bool:
        """Look at *lines* before they are shown; return whether `labels` is another."""
        new = {line[1::2] for line in lines} - self._known
        if len(self._known) + len(new) > _MOST:
            self._known.clear()
        self._known |= new
        before = self._common
        for labels, extra in new:
            everything = {**dict(extra), **dict(labels)}
            if self._common is None:
                self._common = everything
            else:
                self._common = dict(self._common.items() & everything.items())
        return self._common != before

    def differing(self, labels: Mapping[str, str]) -> dict[str, str]:
        """Return *labels* without the common ones."""
        return {
            name: value
            for name, value in labels.items()
            if self.labels.get(name) != value
        }


_MOST = 10_000
"""Label sets remembered; a parsed query can make one of every line."""
