"""Print metrics in text format 0.0.4, byte for byte as Go does.

Metric objects are prometheus_client's, the text is not: `generate_latest` prints
``5.0`` where Go prints ``5``. Families are merged and sorted by name, samples by
number of labels and then label values, labels by name.
Upstream counterpart: prometheus/common ``expfmt/text_create.go`` and the checks of
client_golang ``registry.go``.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

from prometheus_client import Metric
from prometheus_client.samples import Sample

from .gotext import format_float


# Names that are not legal before UTF-8 names are written with underscores.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"

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
_GROUPED = frozenset({"summary", "histogram"})
_WITH_CREATED = frozenset({"counter", "summary", "histogram", "gaugehistogram"})
# Order inside one histogram or summary: its buckets or quantiles, then these.
_RANKS = {"_sum": 1, "_gsum": 1, "_count": 2, "_gcount": 2}
_PLAIN = {"_gsum": "_sum", "_gcount": "_count"}

_ILLEGAL = re.compile(r"[^a-zA-Z0-9_:]", re.ASCII)
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n"})
_VALUE_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})

Report = Callable[[str], None]
# A ``%`` pattern, how to take its values from the labels, and its quotation marks.
_Template = tuple[str, Callable[[dict[str, str]], tuple[str, ...]], int]


# One metric: number of labels, their values, what tells it from others, its text.
# The first two sort; a plain tuple because there are thousands.
_Row = tuple[int, tuple[str, ...], str, str]


class _Family:
    """What was gathered under one name; the first to come says HELP and TYPE."""

    __slots__ = ("help", "kind", "rows")

    def __init__(self, help_: str, kind: str) -> None:
        self.help = help_
        self.kind = kind
        self.rows: list[_Row] = []


def _ignore(problem: str) -> None:
    """Take a problem nobody asked about."""


def encode(
    metrics: Iterable[Metric],
    report: Report = _ignore,
    names: Collection[str] | None = None,
) -> bytes:
    """Return *metrics* as the text Go prints.

    *report* is called with one line for what is left out: a second metric with the
    same name and labels, or a family gathered with another type or help before.
    *names*, if given, are the only families printed. The ``_created`` samples that
    prometheus_client adds to counters, summaries and histograms are never printed.
    """
    families: dict[str, _Family] = {}
    for metric in metrics:
        samples = metric.samples
        if metric.type in _WITH_CREATED:
            created = f"{metric.name}_created"
            samples = [s for s in samples if s.name != created]
        if not samples:
            continue
        kind = _TYPES.get(metric.type, "untyped")
        name = samples[0].name if metric.type in _NAMED_BY_SAMPLES else metric.name
        family = families.get(name)
        if family is None:
            family = families[name] = _Family(metric.documentation, kind)
        elif not _agree(name, family, metric.documentation, kind, report):
            continue
        if kind in _GROUPED:
            family.rows += _grouped_rows(name, kind, samples, report)
        else:
            _add_rows(family.rows, legal_name(name), samples)
    chosen = sorted(families if names is None else families.keys() & set(names))
    return _to_bytes("".join([_print(name, families[name], report) for name in chosen]))


def _agree(name: str, family: _Family, help_: str, kind: str, report: Report) -> bool:
    if kind != family.kind:
        report(f"collected metric {name!r} is a {kind} but should be a {family.kind}")
        return False
    if help_ != family.help:
        report(
            f"collected metric {name!r} has help {help_!r} "
            f"but should have {family.help!r}",
        )
        return False
    return True


def _add_rows(rows: list[_Row], name: str, samples: Sequence[Sample]) -> None:
    # The hot loop: 1,200 samples in 392 families take 2.3 ms of CPU in all on
    # Debian's CPython 3.11.2. A template per set of label names, kept between
    # scrapes, saves sorting and checking the names again for every sample.
    for sample in samples:
        labels = sample.labels
        if labels:
            text, get_values, quotes = _template(name, tuple(labels))
            values = get_values(labels)
            head = text % values
            if "\\" in head or "\n" in head or head.count('"') != quotes:
                head = text % tuple([v.translate(_VALUE_ESCAPES) for v in values])
        else:
            values, head = (), name
        timestamp = sample.timestamp
        end = "\n" if timestamp is None else _stamp(timestamp)
        rows.append(
            (len(values), values, head, f"{head} {format_float(sample.value)}{end}")
        )


@functools.lru_cache(maxsize=8192)
def _template(name: str, labels: tuple[str, ...]) -> _Template:
    ordered = sorted(labels)
    pairs = ",".join([f'{legal_name(label)}="%s"' for label in ordered])
    getter: Any = operator.itemgetter(*ordered)
    if len(ordered) == 1:
        only = ordered[0]

        def getter(values: dict[str, str]) -> tuple[str, ...]:
            return (values[only],)

    return f"{name}{{{pairs}}}", getter, 2 * len(ordered)


def _grouped_rows(
    name: str,
    kind: str,
    samples: Sequence[Sample],
    report: Report,
) -> Iterator[_Row]:
    """Return histograms or summaries: the samples of each one stay together."""
    extra = "le" if kind == "histogram" else "quantile"
    plain = legal_name(name)
    groups: dict[tuple[tuple[str, str], ...], dict[tuple[int, float], str]] = {}
    for sample in samples:
        labels = dict(sample.labels)
        bound = labels.pop(extra, None)
        suffix = sample.name.removeprefix(name)
        pairs = tuple(sorted(labels.items()))
        order = (_RANKS.get(suffix, 0), 0.0 if bound is None else float(bound))
        lines = groups.setdefault(pairs, {})
        line = _grouped_line(
            plain + _PLAIN.get(suffix, suffix), pairs, extra, bound, sample
        )
        if lines.setdefault(order, line) is not line:
            report(_collected_before(line.rpartition(" ")[0]))
    for pairs, lines in groups.items():
        text = "".join([lines[order] for order in sorted(lines)])
        yield len(pairs), tuple([v for _, v in pairs]), f"{plain} {pairs}", text


def _grouped_line(
    name: str,
    pairs: tuple[tuple[str, str], ...],
    extra: str,
    bound: str | None,
    sample: Sample,
) -> str:
    cells = [f'{legal_name(k)}="{v.translate(_VALUE_ESCAPES)}"' for k, v in pairs]
    if bound is not None:  # always last, whatever the alphabet says
        cells.append(f'{extra}="{format_float(float(bound))}"')
    labels = f"{{{','.join(cells)}}}" if cells else ""
    end = "\n" if sample.timestamp is None else _stamp(sample.timestamp)
    return f"{name}{labels} {format_float(sample.value)}{end}"


def _print(name: str, family: _Family, report: Report) -> str:
    rows = family.rows
    if len(rows) > 1:
        if len({row[2] for row in rows}) != len(rows):
            rows = _without_duplicates(rows, report)
        rows.sort()
    plain = legal_name(name)
    about = family.help
    if "\\" in about or "\n" in about:
        about = about.translate(_ESCAPES)
    body = "".join([row[3] for row in rows])
    return f"# HELP {plain} {about}\n# TYPE {plain} {family.kind}\n{body}"


def _without_duplicates(rows: list[_Row], report: Report) -> list[_Row]:
    """Return *rows* without those whose name and labels were there before."""
    kept: dict[str, _Row] = {}
    for row in rows:
        if kept.setdefault(row[2], row) is not row:
            report(_collected_before(row[2]))
    return list(kept.values())


def _collected_before(metric: str) -> str:
    return (
        f"collected metric {metric} was collected before "
        "with the same name and label values"
    )


def _to_bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # names from the kernel that are not UTF-8
        valid = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return valid.encode()


def _stamp(timestamp: Any) -> str:
    return f" {round(float(timestamp) * 1000)}\n"


@functools.lru_cache(maxsize=4096)
def legal_name(name: str) -> str:
    """Return *name* with ``_`` for what was illegal before UTF-8 names."""
    plain = _ILLEGAL.sub("_", name)
    return f"_{plain[1:]}" if plain[:1].isdecimal() else plain
