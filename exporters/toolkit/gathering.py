"""Put what collectors returned together: one family a name, in order, checked.

Families are merged and sorted by name, samples by number of labels and then label
values. What comes twice, or under another type or help, is dropped and reported.
How a sample is written is the business of a `Form`.
Upstream counterpart: client_golang ``registry.go`` and ``internal/metric.go``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from .metric import Exposed, ExposedSample


P = TypeVar("P")  # how a form writes one metric: text or bytes
Report = Callable[[str], None]
# One metric: number of labels, their values, what tells it from others, itself as
# written. The first two sort; a plain tuple because there are thousands.
Row = tuple[int, tuple[str, ...], Any, P]

_TYPES = {
    "counter": "counter",
    "gauge": "gauge",
    "info": "gauge",
    "stateset": "gauge",
    "summary": "summary",
    "histogram": "histogram",
    "gaugehistogram": "histogram",
}
# Families whose prometheus_client name lacks a suffix that their samples have.
_NAMED_BY_SAMPLES = frozenset({"counter", "info"})
_WITH_CREATED = frozenset({"counter", "summary", "histogram", "gaugehistogram"})


class Family(Generic[P]):
    """What was gathered under one name; the first to come says HELP and TYPE."""

    __slots__ = ("help", "kind", "name", "rows", "unit")

    def __init__(self, name: str, help_: str, kind: str, unit: str) -> None:
        self.name = name
        self.help = help_
        self.kind = kind
        self.unit = unit
        self.rows: list[Row[P]] = []


class Form(Protocol[P]):
    """How an exposition format writes the samples of a family."""

    def add(
        self,
        family: Family[P],
        samples: Sequence[ExposedSample],
        created: Sequence[ExposedSample],
        report: Report,
    ) -> None:
        """Append *samples* to the rows of *family*.

        *created* are the ``_created`` samples that prometheus_client adds.
        """


def gather(
    metrics: Iterable[Exposed],
    form: Form[P],
    report: Report,
    names: Collection[str] | None = None,
) -> list[Family[P]]:
    """Return *metrics* in the order in which they are exposed.

    *report* is called with one line for what is left out: a second metric with the
    same name and labels, or a family gathered with another type or help before.
    *names*, if given, are the only families returned.
    """
    families: dict[str, Family[P]] = {}
    for metric in metrics:
        samples: Sequence[ExposedSample] = metric.samples
        created: Sequence[ExposedSample] = ()
        if metric.type in _WITH_CREATED:
            name = f"{metric.name}_created"
            created = [sample for sample in samples if sample.name == name]
            if created:
                samples = [sample for sample in samples if sample.name != name]
        if not samples:
            continue
        family = _family(families, metric, samples[0].name, report)
        if family is not None:
            form.add(family, samples, created, report)
    chosen = sorted(families if names is None else families.keys() & set(names))
    return [_in_order(families[name], report) for name in chosen]


def _family(
    families: dict[str, Family[P]], metric: Exposed, sample: str, report: Report
) -> Family[P] | None:
    kind = _TYPES.get(metric.type, "untyped")
    name = sample if metric.type in _NAMED_BY_SAMPLES else metric.name
    help_ = metric.documentation
    family = families.get(name)
    if family is None:
        family = families[name] = Family(name, help_, kind, metric.unit)
    elif kind != family.kind:
        report(f"collected metric {name!r} is a {kind} but should be a {family.kind}")
        return None
    elif help_ != family.help:
        report(
            f"collected metric {name!r} has help {help_!r} "
            f"but should have {family.help!r}",
        )
        return None
    return family


def _in_order(family: Family[P], report: Report) -> Family[P]:
    rows = family.rows
    if len(rows) > 1:
        if len({row[2] for row in rows}) != len(rows):
            family.rows = rows = _without_duplicates(family, report)
        rows.sort()
    return family


def _without_duplicates(family: Family[P], report: Report) -> list[Row[P]]:
    """Return the rows without those whose name and labels were there before."""
    kept: dict[Any, Row[P]] = {}
    for row in family.rows:
        if kept.setdefault(row[2], row) is not row:
            # A form's key need not be readable; the labels' values are.
            key = row[2] if isinstance(row[2], str) else f"{family.name} {row[1]}"
            report(collected_before(key))
    return list(kept.values())


def collected_before(metric: str) -> str:
    """Return upstream's text about *metric*, which came before."""
    return (
        f"collected metric {metric} was collected before "
        "with the same name and label values"
    )
