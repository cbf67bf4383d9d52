"""Read OpenMetrics text into the families of the text format.

For files that node_exporter refuses: it knows only the text format 0.0.4, for which
``info`` is no type and an exemplar is no timestamp (node_exporter#1988). The grammar is
prometheus_client's; comments and empty lines, which OpenMetrics forbids and people
write, are passed over. What the text format cannot say is said as prometheus_client
says it there: ``info`` and ``stateset`` are gauges, ``_created`` is a gauge of its own,
exemplars and units are left out.
"""

from __future__ import annotations

import math
import re
import traceback
from collections.abc import Iterable, Iterator

from exporters.node.text.textformat import Family, Labels, Point
from exporters.node.text.textformat_line import (
    LABEL_NAME,
    METRIC_NAME,
    ParseError,
    parse_float,
    shown,
)
from exporters.toolkit.exposed import Exposed, ExposedSample


FORM = "OpenMetrics"
EOF = b"# EOF"

# A type or unit of OpenMetrics, or an exemplar.
_SIGN = re.compile(
    rb"^(?:# (?:UNIT [^ \n]+ |TYPE [^ \n]+ (?:info|stateset|unknown|gaugehistogram)$)"
    rb"|[^#\n].* # \{)",
    re.MULTILINE,
)
_METADATA = re.compile(rb"# (?:HELP|TYPE|UNIT) ")
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"')
_SAMPLE = re.compile(rb"(?P<name>[^ {]*)(?P<labels>\{[^}]*\})?(?P<rest>.*)", re.DOTALL)
_LABEL = re.compile(rb"([^{},= ]+) *=")
_KINDS = {
    "info": "gauge",
    "stateset": "gauge",
    "unknown": "untyped",
    "gaugehistogram": "histogram",
}
_PART_LABELS = {"summary": "quantile", "histogram": "le", "gaugehistogram": "le"}
_WITH_CREATED = frozenset({"counter", "summary", "histogram"})
_CREATED = "_created"


def is_meant(data: bytes) -> bool:
    """Tell whether *data* ends as OpenMetrics does, or has a sign of it.

    Without that end it could be cut off: then the last line at least is a whole one.
    """
    whole = data.endswith(b"\n")
    return ends(data) or (whole and _SIGN.search(data) is not None)


def ends(data: bytes) -> bool:
    """Tell whether the last line of *data* is ``# EOF``."""
    return data.rstrip(b"\n").rpartition(b"\n")[2] == EOF


def parse(data: bytes) -> list[Family]:
    """Return the families that have samples, in the order of the file.

    Raises ParseError and nothing else.
    """
    lines = _Lines(data)
    families: list[Family] = []
    try:
        # Here and not above: its regular expressions cost 1 MiB, few files need them.
        from prometheus_client.openmetrics.parser import (  # noqa: PLC0415
            text_fd_to_metric_families,
        )

        for metric in text_fd_to_metric_families(lines):  # type: ignore[no-untyped-call]
            families += _families(metric)
    except ParseError:
        raise
    except Exception as error:  # it raises what it happens to run into
        raise lines.blame(error) from error
    return families


class _Lines:
    """The lines for the parser, and how far it has come."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.current = 0
        self.before = 0

    def __iter__(self) -> Iterator[str]:
        """Yield each line that counts, with its newline, and ``# EOF`` at last."""
        lines = self._data.rstrip(b"\n").split(b"\n")
        if lines[-1] != EOF:
            lines.append(EOF)
        for number, line in enumerate(lines, start=1):
            if not line.strip() or (line[:1] == b"#" and not _means(line)):
                continue
            self.before, self.current = self.current, number
            _refuse(number, line)
            try:
                yield line.decode() + "\n"
            except UnicodeDecodeError as error:
                raise _error(number, f"not UTF-8: {shown(line)}") from error

    def blame(self, error: Exception) -> ParseError:
        """Return *error* of the parser with the line that is at fault.

        The parser looks at a family as a whole when it has met the line after it.
        """
        frames = traceback.walk_tb(error.__traceback__)
        whole = any(frame.f_code.co_name == "build_metric" for frame, _ in frames)
        reason = " ".join(str(error).split()) or "a line that is not understood"
        return _error(self.before if whole else self.current, reason)


def _means(comment: bytes) -> bool:
    return comment == EOF or _METADATA.match(comment) is not None


def _refuse(number: int, line: bytes) -> None:
    """Raise ParseError for what OpenMetrics allows and the exposition cannot take."""
    if line[:1] == b"#":
        return
    found = _SAMPLE.fullmatch(_QUOTED.sub(b'""', line))
    if found is None or not METRIC_NAME.fullmatch(found["name"]):
        raise _error(number, f"invalid metric name in {shown(line)}")
    for name in _LABEL.findall(found["labels"] or b""):
        if name.startswith(b"__"):
            raise _error(number, f"label name {shown(name)} is reserved")
        if not LABEL_NAME.fullmatch(name):
            raise _error(number, f"invalid label name {shown(name)}")
    value = found["rest"].partition(b" # ")[0].split()
    if value and value[0].startswith(b"{count:"):
        raise _error(number, "native histograms are not supported")
    if len(value) > 1 and parse_float(value[1]) is not None:
        raise _error(number, "client-side timestamps are not supported")


def _families(metric: Exposed) -> Iterator[Family]:
    """Yield *metric*, under the name that its samples have in the text format."""
    family = Family(
        metric.name, _KINDS.get(metric.type, metric.type), metric.documentation or None
    )
    created = Family(metric.name + _CREATED, "gauge")
    for sample in metric.samples:
        if metric.type in _WITH_CREATED and sample.name == created.name:
            created.points.append(Point(_labels(sample), sample.value))
        elif metric.type not in _PART_LABELS:
            # A counter is called as its sample with _total, an info as with _info.
            family.name = sample.name
            family.points.append(Point(_labels(sample), sample.value))
    if metric.type in _PART_LABELS:
        family.points += _composites(metric)
    yield from (each for each in (family, created) if each.points)


def _composites(metric: Exposed) -> Iterable[Point]:
    """Return the summaries or histograms of *metric*, each as one point."""
    part_label = _PART_LABELS[metric.type]
    points: dict[Labels, Point] = {}
    for sample in metric.samples:
        suffix = sample.name.removeprefix(metric.name)
        if suffix == _CREATED:
            continue
        labels = tuple(pair for pair in _labels(sample) if pair[0] != part_label)
        point = points.setdefault(tuple(sorted(labels)), Point(labels))
        if suffix in {"_count", "_gcount"}:
            point.count = sample.value
        elif suffix in {"_sum", "_gsum"}:
            point.total = sample.value
        else:
            bound = float(sample.labels[part_label])
            point.parts[bound] = sample.value
            if bound == math.inf:  # always there, when _count may be left out
                point.count = sample.value
    return points.values()


def _labels(sample: ExposedSample) -> Labels:
    return tuple(sample.labels.items())


def _error(number: int, reason: str) -> ParseError:
    return ParseError(number, reason, FORM)
