"""Write samples as lines of text, for both text formats.

Upstream counterpart: prometheus/common ``expfmt/text_create.go``. The two formats
differ in how they print numbers and times: that is their `Style`.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .escaping import Escaping, escape_name, is_legal
from .exposed import Exposed, ExposedSample
from .gathering import Family, Group, Report, Row, collected_before, kind_of, merge
from .metric import LabelValues, Metric
from .pages import Write


Number = Callable[[float], str]
About = Callable[[str, Exposed, Escaping], str]
# A ``%`` pattern, how to take its values from the labels, and its quotation marks.
_Template = tuple[str, Callable[[Mapping[str, str]], tuple[str, ...]], int]
_Pairs = tuple[tuple[str, str], ...]

_GROUPED = frozenset({"summary", "histogram"})
# Order inside one histogram or summary: its buckets or quantiles, then these.
_RANKS = {"_sum": 1, "_gsum": 1, "_count": 2, "_gcount": 2}
_COUNTS = frozenset({"_bucket", "_count", "_gcount"})
_PLAIN = {"_gsum": "_sum", "_gcount": "_count"}
_VALUE_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})


@dataclass(frozen=True, slots=True)
class Style:
    """How a text format prints *value*, the *count* of a bucket and a *stamp*.

    *value* prints the bounds ``le`` and ``quantile`` too.
    """

    value: Number
    count: Number
    stamp: Number


class TextForm:
    """Rows whose key is name and labels and whose payload is their lines."""

    def __init__(
        self, style: Style, escaping: Escaping, about: About | None = None
    ) -> None:
        """Write as *style* says; *about* is what comes before the lines of a family."""
        self._style = style
        self._escaping = escaping
        self._about = about or _nothing

    def heads(self, name: str, metric: Metric) -> list[tuple[LabelValues, str]] | None:
        """Return name and labels of each row; see `PageForm`."""
        labels, rows = metric.label_names or (), metric.rows
        if kind_of(metric) in _GROUPED or set(map(len, rows)) != {len(set(labels))}:
            return None
        template = _template(name, labels, self._escaping)
        found = [_fill(template, dict(zip(labels, row, strict=True))) for row in rows]
        distinct = len({head for _, head in found}) == len(found)
        return found if distinct else None

    def write(self, name: str, metric: Metric, heads: list[str]) -> Write[str]:
        """Return what writes the lines of *metric*; see `PageForm`."""
        texts = [self._about(name, metric, self._escaping), *heads]
        about, *lines = [text.replace("%", "%%") for text in texts]
        pattern = about + "".join([f"{line} %s\n" for line in lines])
        shown = self._style.value
        return lambda values: pattern % tuple(map(shown, values))

    def merged(self, group: Group, report: Report) -> str:
        """Return the lines of *group*; see `PageForm`."""
        rows = merge(group, self, report).rows
        about = self._about(group[0], group[1][0], self._escaping)
        return about + "".join([row[3] for row in rows])

    def add(
        self,
        family: Family[str],
        samples: Sequence[ExposedSample],
        _created: Sequence[
            ExposedSample
        ],  # text never shows them: they were new series
        report: Report,
    ) -> None:
        """Append *samples* to the rows of *family*."""
        if family.kind in _GROUPED:
            family.rows += self._grouped(family, samples, report)
        else:
            self._plain(family.rows, family.name, samples)

    def _plain(
        self, rows: list[Row[str]], name: str, samples: Sequence[ExposedSample]
    ) -> None:
        # A template per set of label names, kept between scrapes, saves sorting and
        # checking the names again for every sample.
        escaping, format_value = self._escaping, self._style.value
        for sample in samples:
            labels = sample.labels
            values, head = _fill(_kept_template(name, tuple(labels), escaping), labels)
            timestamp = sample.timestamp
            end = "\n" if timestamp is None else self._stamp(timestamp)
            rows.append(
                (len(values), values, head, f"{head} {format_value(sample.value)}{end}")
            )

    def _grouped(
        self, family: Family[str], samples: Sequence[ExposedSample], report: Report
    ) -> Iterator[Row[str]]:
        """Return histograms or summaries: the samples of each one stay together."""
        extra = "le" if family.kind == "histogram" else "quantile"
        groups: dict[_Pairs, dict[tuple[int, float], str]] = {}
        for sample in samples:
            labels = dict(sample.labels)
            bound = labels.pop(extra, None)
            suffix = sample.name.removeprefix(family.name)
            pairs = tuple(sorted(labels.items()))
            order = (_RANKS.get(suffix, 0), 0.0 if bound is None else float(bound))
            lines = groups.setdefault(pairs, {})
            cells = self._cells(pairs)
            if bound is not None:  # always last, whatever the alphabet says
                cells.append(f'{extra}="{self._style.value(float(bound))}"')
            name = family.name + _PLAIN.get(suffix, suffix)
            number = self._style.count if suffix in _COUNTS else self._style.value
            end = "\n" if sample.timestamp is None else self._stamp(sample.timestamp)
            head = _head(name, cells, self._escaping)
            line = f"{head} {number(sample.value)}{end}"
            if lines.setdefault(order, line) is not line:
                report(collected_before(line.rpartition(" ")[0]))
        for pairs, lines in groups.items():
            text = "".join([lines[order] for order in sorted(lines)])
            values = tuple([value for _, value in pairs])
            yield len(pairs), values, f"{family.name} {pairs}", text

    def _cells(self, pairs: _Pairs) -> list[str]:
        return [
            f'{_name(key, self._escaping)}="{value.translate(_VALUE_ESCAPES)}"'
            for key, value in pairs
        ]

    def _stamp(self, timestamp: Any) -> str:
        return f" {self._style.stamp(float(timestamp))}\n"


def _nothing(_name: str, _metric: Exposed, _escaping: Escaping) -> str:
    return ""


def title(name: str, escaping: Escaping) -> str:
    """Return *name* as HELP and TYPE lines show it."""
    return _name(name, escaping)


@functools.lru_cache(maxsize=4096)
def _name(name: str, escaping: Escaping) -> str:
    escaped = escape_name(name, escaping)
    if is_legal(escaped):
        return escaped
    return f'"{escaped.translate(_VALUE_ESCAPES)}"'


def _head(name: str, cells: list[str], escaping: Escaping) -> str:
    """Return name and labels; a name in quotation marks stands with the labels."""
    shown = _name(name, escaping)
    if shown[:1] == '"':
        return f"{{{','.join([shown, *cells])}}}"
    return f"{shown}{{{','.join(cells)}}}" if cells else shown


def _template(name: str, labels: tuple[str, ...], escaping: Escaping) -> _Template:
    ordered = sorted(labels)
    names = [_name(label, escaping) for label in ordered]
    # "%" is legal in a UTF-8 name only, and means itself there.
    cells = [f'{label.replace("%", "%%")}="%s"' for label in names]
    shown = _head(name.replace("%", "%%"), cells, escaping)
    return shown, _getter(ordered), shown.count('"')


_kept_template = functools.lru_cache(maxsize=8192)(_template)


def _getter(names: list[str]) -> Callable[[Mapping[str, str]], LabelValues]:
    if len(names) > 1:
        return operator.itemgetter(*names)
    return lambda labels: tuple([labels[name] for name in names])


def _fill(template: _Template, labels: Mapping[str, str]) -> tuple[LabelValues, str]:
    """Return the values of *labels* in order, and *template* with them in it."""
    text, get_values, quotes = template
    values = get_values(labels)
    head = text % values
    if "\\" in head or "\n" in head or head.count('"') != quotes:
        head = text % tuple([value.translate(_VALUE_ESCAPES) for value in values])
    return values, head
