"""Put what collectors returned together: one family a name, in order, checked.

Families are merged and sorted by name, samples by number of labels and then label
values. What comes twice, or under another type or help, is dropped and reported.
How a sample is written is the business of a `Form`.
Upstream counterpart: client_golang ``registry.go`` and ``internal/metric.go``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from .exposed import Exposed, ExposedSample
from .metric import Metric


P = TypeVar("P")  # how a form writes one metric: text or bytes
Report = Callable[[str], None]
# One metric: number of labels, their values, what tells it from others, itself as
# written. The first two sort; a plain tuple because there are thousands.
Row = tuple[int, tuple[str, ...], Any, P]
# A name as it is exposed, and what was gathered under it: nearly always one.
Group = tuple[str, list[Exposed]]

_KINDS = {
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

    def __init__(self, name: str, first: Exposed) -> None:
        self.name = name
        self.help = first.documentation
        self.kind = kind_of(first)
        self.unit = first.unit
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


def kind_of(metric: Exposed) -> str:
    """Return the type of *metric* as text 0.0.4 names it."""
    return _KINDS.get(metric.type, "untyped")


def gather(
    metrics: Iterable[Exposed],
    report: Report,
    names: Collection[str] | None = None,
) -> list[Group]:
    """Return *metrics* by the names that are exposed, in their order.

    *report* is called with one line for a metric that is left out because it has
    another type or help than the one before. *names*, if given, are the only ones
    returned.
    """
    found: dict[str, list[Exposed]] = {}
    name: str | None
    for metric in metrics:
        if isinstance(metric, Metric) and metric.values:
            name = metric.sample_name
        elif (name := _name(metric)) is None:
            continue
        others = found.get(name)
        if others is None:
            found[name] = [metric]
        elif _agree(name, others[0], metric, report):
            others.append(metric)
    chosen = found.keys() if names is None else found.keys() & set(names)
    return [(name, found[name]) for name in sorted(chosen)]


def _name(metric: Exposed) -> str | None:
    """Return the name that is exposed, None if there are no samples."""
    samples, _ = _parted(metric)
    if not samples:
        return None
    return samples[0].name if metric.type in _NAMED_BY_SAMPLES else metric.name


def _agree(name: str, first: Exposed, metric: Exposed, report: Report) -> bool:
    kind, wanted = kind_of(metric), kind_of(first)
    help_ = metric.documentation
    if kind != wanted:
        report(f"collected metric {name!r} is a {kind} but should be a {wanted}")
        return False
    if help_ != first.documentation:
        report(
            f"collected metric {name!r} has help {help_!r} "
            f"but should have {first.documentation!r}",
        )
        return False
    return True


def merge(group: Group, form: Form[P], report: Report) -> Family[P]:
    """Return the family of *group*, as *form* writes its samples, in their order.

    *report* is called with one line for each sample that is left out because there
    was one with the same labels before.
    """
    name, metrics = group
    family: Family[P] = Family(name, metrics[0])
    for metric in metrics:
        form.add(family, *_parted(metric), report)
    rows = family.rows
    if len(rows) > 1:
        if len({row[2] for row in rows}) != len(rows):
            family.rows = rows = _without_duplicates(family, report)
        rows.sort()
    return family


def _parted(
    metric: Exposed,
) -> tuple[Sequence[ExposedSample], Sequence[ExposedSample]]:
    """Return the samples of *metric*, and those that say since when they count."""
    samples = metric.samples
    if metric.type not in _WITH_CREATED:
        return samples, ()
    name = f"{metric.name}_created"
    created = [sample for sample in samples if sample.name == name]
    if not created:
        return samples, ()
    return [sample for sample in samples if sample.name != name], created


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
