"""Metric families: what collectors return and the encoders print.

The constructors are those of prometheus_client, which a collector can still give: the
encoders take whatever looks like `exposed.Exposed`. Ours keep rows of label values and
numbers and make no object for a sample: half the CPU. The library, 4.5 MiB
and 45 ms at import, is not loaded.
Upstream counterpart: client_golang ``metric.go`` and ``value.go``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple


LabelValues = tuple[str, ...]

_TYPES: Final = frozenset(
    {
        "counter",
        "gauge",
        "summary",
        "histogram",
        "gaugehistogram",
        "unknown",
        "info",
        "stateset",
    }
)


class Sample(NamedTuple):
    """One number, under the name that it is printed with; *timestamp* in seconds."""

    name: str
    labels: dict[str, str]
    value: float
    timestamp: float | None = None


class Metric:
    """A family: its name, HELP text, type and samples.

    *values* are its numbers and *rows* the label values of each, in the order of
    *label_names*. What has another name or other labels than these, or a time, is in
    *odd*. *created* says since when the rows of a counter count: ``_created`` samples.
    """

    __slots__ = (
        "created",
        "documentation",
        "label_names",
        "name",
        "odd",
        "rows",
        "sample_name",
        "type",
        "unit",
        "values",
    )

    def __init__(
        self,
        name: str,
        documentation: str,
        typ: str,
        unit: str = "",
        labels: Sequence[str] | None = None,
        *,
        value: float | None = None,
    ) -> None:
        """Begin with *value* as the only sample, or without one and with *labels*.

        Without *labels* the first sample says which there are. Raises ValueError for
        a name that is empty or not UTF-8, and for a type that is none.
        """
        if unit and not name.endswith(f"_{unit}"):
            name = f"{name}_{unit}"
        if not name:
            raise ValueError("metric name cannot be empty")
        if not name.isascii():
            name.encode()
        if labels and value is not None:
            raise ValueError("Can only specify at most one of value and labels.")
        if typ not in _TYPES:
            if typ != "untyped":
                raise ValueError(f"Invalid metric type: {typ}")
            typ = "unknown"
        self.name = self.sample_name = name
        self.documentation = documentation
        self.type = typ
        self.unit = unit
        self.label_names = None if labels is None else tuple(labels)
        self.rows: list[LabelValues] = [] if value is None else [()]
        self.values: list[float] = [] if value is None else [value]
        self.created: list[tuple[LabelValues, float]] | None = None
        self.odd: list[Sample] | None = None

    def add_metric(self, labels: Sequence[str], value: float) -> None:
        """Add a sample; *labels* are values in the order of the label names."""
        self.rows.append(tuple(labels))
        self.values.append(value)

    def add_sample(
        self,
        name: str,
        labels: Mapping[str, str],
        value: float,
        timestamp: float | None = None,
    ) -> None:
        """Add a sample under any *name*, with any labels."""
        names = tuple(labels)
        if self.label_names is None:
            self.label_names = names
        if name == self.sample_name and names == self.label_names and timestamp is None:
            self.rows.append(tuple(labels.values()))
            self.values.append(value)
        else:
            if self.odd is None:
                self.odd = []
            self.odd.append(Sample(name, dict(labels), value, timestamp))

    def extend(self, other: Metric) -> None:
        """Add the samples of *other*."""
        for sample in other.samples:
            self.add_sample(*sample)

    @property
    def samples(self) -> list[Sample]:
        """All samples, made anew at each call."""
        name, names = self.sample_name, self.label_names or ()
        made = [
            Sample(name, dict(zip(names, row, strict=False)), value)
            for row, value in zip(self.rows, self.values, strict=True)
        ]
        for row, since in self.created or ():
            labels = dict(zip(names, row, strict=False))
            made.append(Sample(f"{self.name}_created", labels, since))
        return [*made, *(self.odd or ())]

    def __bool__(self) -> bool:
        """Tell whether there are samples."""
        return bool(self.values or self.odd)

    def __repr__(self) -> str:
        """Show the family and its samples, for tests that fail."""
        return f"Metric({self.name!r}, {self.type!r}, {self.samples})"


class GaugeMetricFamily(Metric):
    """A gauge."""

    __slots__ = ()

    def __init__(
        self,
        name: str,
        documentation: str,
        value: float | None = None,
        labels: Sequence[str] | None = None,
        unit: str = "",
    ) -> None:
        """Begin with *value* as the only sample, or without one and with *labels*."""
        Metric.__init__(
            self, name, documentation, "gauge", unit, labels or (), value=value
        )


class UntypedMetricFamily(Metric):
    """A metric whose type nobody knows."""

    __slots__ = ()

    def __init__(
        self,
        name: str,
        documentation: str,
        value: float | None = None,
        labels: Sequence[str] | None = None,
        unit: str = "",
    ) -> None:
        """Begin with *value* as the only sample, or without one and with *labels*."""
        Metric.__init__(
            self, name, documentation, "unknown", unit, labels or (), value=value
        )


class CounterMetricFamily(Metric):
    """A counter, whose samples are called *name* with ``_total``."""

    __slots__ = ()

    def __init__(
        self,
        name: str,
        documentation: str,
        value: float | None = None,
        labels: Sequence[str] | None = None,
        unit: str = "",
    ) -> None:
        """Begin with *value* as the only sample, or without one and with *labels*."""
        Metric.__init__(
            self,
            name.removesuffix("_total"),
            documentation,
            "counter",
            unit,
            labels or (),
            value=value,
        )
        self.sample_name = f"{self.name}_total"

    def add_metric(
        self, labels: Sequence[str], value: float, created: float | None = None
    ) -> None:
        """Add a sample that counts since *created*, in seconds since 1970."""
        self.rows.append(tuple(labels))
        self.values.append(value)
        if created is None:
            return
        if self.created is None:
            self.created = []
        self.created.append((self.rows[-1], created))
