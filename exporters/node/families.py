"""Put samples together into families, in the order in which they come.

For collectors whose families and labels follow what the kernel shows. Where they are
fixed, GaugeMetricFamily says more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from exporters.toolkit.metric import Metric


_NONE: Mapping[str, str] = {}
_NOT_IN_NAMES = re.compile(r"_*[^0-9A-Za-z_]+_*")


def name_part(text: str) -> str:
    """Return *text* with one ``_`` for whatever a metric's name may not have.

    Upstream counterpart: collector/helper.go, SanitizeMetricName.
    """
    return _NOT_IN_NAMES.sub("_", text)


class Families:
    """Families by name; the first sample of one says its type and HELP.

    Names are those that a scrape shows: a counter keeps its ``_total``, and one that
    upstream exports without it does not get it.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._found: dict[str, Metric] = {}

    def __iter__(self) -> Iterator[Metric]:
        """Yield the families that have samples."""
        return iter(self._found.values())

    def gauge(
        self, name: str, help_: str, value: float, labels: Mapping[str, str] = _NONE
    ) -> None:
        """Add a sample of a gauge."""
        self._add("gauge", name, help_, value, labels)

    def counter(
        self, name: str, help_: str, value: float, labels: Mapping[str, str] = _NONE
    ) -> None:
        """Add a sample of a counter."""
        self._add("counter", name, help_, value, labels)

    def named(
        self, name: str, help_: str, value: float, labels: Mapping[str, str] = _NONE
    ) -> None:
        """Add a sample of a counter if *name* ends in ``_total``, else of a gauge."""
        kind = "counter" if name.endswith("_total") else "gauge"
        self._add(kind, name, help_, value, labels)

    def untyped(
        self, name: str, help_: str, value: float, labels: Mapping[str, str] = _NONE
    ) -> None:
        """Add a sample of a metric whose type nobody knows."""
        self._add("unknown", name, help_, value, labels)

    def _add(
        self, kind: str, name: str, help_: str, value: float, labels: Mapping[str, str]
    ) -> None:
        family = self._found.get(name)
        if family is None:
            family = self._found[name] = Metric(name, help_, kind)
        family.add_sample(name, labels, value)
