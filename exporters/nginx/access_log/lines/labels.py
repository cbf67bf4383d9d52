"""The labels of the families: which there are, and their values for a line.

Upstream counterpart: prometheus-nginxlog-exporter ``pkg/metrics/collection_init.go``
and ``pkg/relabeling/types.go``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, TypeAlias

from exporters.nginx.access_log.lines.fields import Record, text_of
from exporters.nginx.access_log.lines.layout import Layout
from exporters.nginx.access_log.lines.relabel import (
    METHOD,
    OTHER,
    STATUS,
    Rule,
    host_rule,
    rule,
)
from exporters.nginx.access_log.settings import Settings
from exporters.toolkit.errors import StartError


# client_golang refuses names that begin with two underscores: Prometheus' own.
_LABEL_NAME: Final = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
# Those of histograms and summaries.
_TAKEN: Final = frozenset({"le", "quantile"})

Values: TypeAlias = tuple[str, ...]


class Labels:
    """The labels that *settings* ask for; raises StartError for those that cannot be.

    Of several rules for one label the first counts; ``method`` and ``status`` are
    there unless configured otherwise.
    """

    def __init__(self, settings: Settings) -> None:
        rules = [rule(each) for each in settings.relabel_configs]
        if settings.hosts:
            rules.append(host_rule(settings.hosts))
        unique: dict[str, Rule] = {}
        for each in (*rules, METHOD, STATUS):
            unique.setdefault(each.name, each)
        self.rules = tuple(unique.values())
        self._empty = [""] * len(self.rules)
        self._common = {**settings.const_labels, **settings.labels}
        names = [*settings.const_labels, *settings.labels]
        _check([*names, *(each.name for each in self.rules)])
        self._measured = [not each.only_counter for each in self.rules]

    def values(self, layout: Layout, record: Record) -> Values:
        """Return the value of each label: empty without the field that it comes from.

        Upstream shows the value of the line before.
        """
        values = self._empty.copy()
        for index, place, mapper in layout.labels:
            value = record[place]
            text = value if type(value) is str else text_of(value)
            if text is not None:
                values[index] = mapper(text)
        return tuple(values)

    def measured(self, values: Values) -> Values:
        """Return *values* without those that only the response count has."""
        pairs = zip(values, self._measured, strict=True)
        return tuple([value for value, is_measured in pairs if is_measured])

    def folded(self, values: Values) -> tuple[Values, Values]:
        """Return the label sets for a line without room for one of its own.

        The first keeps what is bounded anyway, method and status, so that errors are
        still seen as such; in the second every label is ``other``.
        """
        pairs = zip(values, self.rules, strict=True)
        kept = tuple([value if each.bounded else OTHER for value, each in pairs])
        return kept, (OTHER,) * len(values)

    def counted_labels(self, values: Values) -> dict[str, str]:
        """Return the labels of the response count for *values*."""
        names = [each.name for each in self.rules]
        return {**self._common, **dict(zip(names, values, strict=True))}

    def measured_labels(self, values: Values) -> dict[str, str]:
        """Return the labels of the other families for `measured` *values*."""
        names = [each.name for each in self.rules if not each.only_counter]
        return {**self._common, **dict(zip(names, values, strict=True))}


def _check(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if _LABEL_NAME.fullmatch(name) is None or name in _TAKEN:
            raise StartError(
                f"access log: {name!r} cannot be a label, expected letters, digits and "
                "_, not beginning with a digit or with __, and neither le nor quantile"
            )
        if name in seen:
            raise StartError(f"access log: label {name!r} is set twice")
        seen.add(name)
