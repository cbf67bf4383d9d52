"""Metric families of the exporter, with upstream's names, types and HELP texts.

The counters are spelled as upstream spells them, without ``_total`` where it has
none (collector/nginx.go), so they are plain ``Metric`` objects: CounterMetricFamily
would rename them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from exporters.nginx.stub_status import StubStatus
from exporters.nginx.targets import Target
from exporters.toolkit.errors import StartError
from exporters.toolkit.metric import LabelValues, Metric


NGINX_METRICS = (
    # name, HELP, type, the field of StubStatus
    (
        "connections_accepted",
        "Accepted client connections",
        "counter",
        "accepted",
    ),
    (
        "connections_active",
        "Active client connections",
        "gauge",
        "active",
    ),
    (
        "connections_handled",
        "Handled client connections",
        "counter",
        "handled",
    ),
    (
        "connections_reading",
        "Connections where NGINX is reading the request header",
        "gauge",
        "reading",
    ),
    (
        "connections_waiting",
        "Idle client connections",
        "gauge",
        "waiting",
    ),
    (
        "connections_writing",
        "Connections where NGINX is writing the response back to the client",
        "gauge",
        "writing",
    ),
    (
        "http_requests_total",
        "Total http requests",
        "counter",
        "requests",
    ),
)

# The same, for a scrape: whole names, and the column of StubStatus.
_COLUMNS = tuple(
    (f"nginx_{name}", help_, type_, StubStatus._fields.index(field))
    for name, help_, type_, field in NGINX_METRICS
)

# client_golang refuses names that begin with two underscores: Prometheus' own.
_LABEL_NAME = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*")
# A comma separates two labels only where "name=" follows it; 1.x would make the
# whole of "a=b,c=d" the value of one label, 0.x reads two labels.
_LABEL_SEPARATOR = re.compile(r"\s*,\s*(?=[^,=:\s]+=)|\n")

Labels = Mapping[str, str]


def split_const_labels(text: str) -> tuple[tuple[str, str], ...]:
    """Return the pairs in *text*, ``name=value`` or several of them.

    Several are separated by commas or newlines; one comma may end a list. Raises
    ValueError with kingpin's text where there is neither ``=`` nor ``:``.
    """
    pairs = [pair for part in _LABEL_SEPARATOR.split(text) if (pair := part.strip())]
    if len(pairs) > 1:
        pairs = [pair.removesuffix(",").rstrip() for pair in pairs]
    return tuple(_pair(pair) for pair in pairs)


def _pair(text: str) -> tuple[str, str]:
    # kingpin's StringMap splits at the first "=" or ":".
    parts = re.split("[=:]", text, maxsplit=1)
    if len(parts) != 2:
        raise ValueError(f"expected KEY=VALUE got '{text}'")
    return parts[0], parts[1]


def const_labels(lists: Iterable[Iterable[tuple[str, str]]]) -> dict[str, str]:
    """Return *lists* as one mapping; the last value of a name wins.

    Raises StartError for a name that Prometheus does not allow: upstream lets it
    pass and prints another name than the one asked for.
    """
    labels = {name: value for pairs in lists for name, value in pairs}
    for name in labels:
        if _LABEL_NAME.fullmatch(name) is None:
            raise StartError(
                f"--prometheus.const-label {name!r} is not a label name, expected "
                "letters, digits and _, not beginning with a digit or with __"
            )
    return labels


def target_labels(targets: Sequence[Target], common: Labels) -> list[dict[str, str]]:
    """Return the labels of each of *targets*: ``addr`` only where there are several.

    *common* are the constant ones; ``addr`` wins over one of that name, as upstream.
    """
    if len(targets) == 1:
        return [dict(common)]
    return [{**common, "addr": target.name} for target in targets]


def nginx_metrics(readings: Iterable[tuple[Labels, StubStatus | None]]) -> list[Metric]:
    """Return the families of *readings*, one pair for each nginx.

    None stands for an nginx that could not be read: it has ``nginx_up`` 0 and no
    other sample. A family without samples is left out. All have the same label names.
    """
    names: tuple[str, ...] = ()
    rows: list[LabelValues] = []
    values: list[float] = []
    answered: list[LabelValues] = []
    statuses: list[StubStatus] = []
    for labels, status in readings:
        names = names or tuple(labels)
        row = tuple([labels[name] for name in names])
        rows.append(row)
        values.append(0 if status is None else 1)
        if status is not None:
            answered.append(row)
            statuses.append(status)
    up = Metric("nginx_up", "Status of the last metric scrape", "gauge", labels=names)
    up.rows, up.values = rows, values
    families = [up]
    for name, help_, type_, column in _COLUMNS if statuses else ():
        family = Metric(name, help_, type_, labels=names)
        family.rows = answered
        family.values = [float(status[column]) for status in statuses]
        families.append(family)
    return families
