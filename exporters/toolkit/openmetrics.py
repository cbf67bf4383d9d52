"""Print metrics as OpenMetrics text, series by series what text 0.0.4 shows.

A scraper must not see other series because it asked for another format, so, as
upstream's encoder: a counter without ``_total`` keeps its name and is ``unknown``,
``_created`` is not printed, and ``info`` and ``stateset`` stay gauges.
Upstream counterpart: prometheus/common ``expfmt/openmetrics_create.go``.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable

from .escaping import Escaping
from .exposed import Exposed
from .exposition import to_utf8
from .gathering import Group, Report, gather, kind_of
from .gotext import format_float
from .pages import Pages
from .textform import Style, TextForm, title


_SUFFIX = "_total"
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})


def encode(
    metrics: Iterable[Exposed],
    report: Report,
    names: Collection[str] | None = None,
    escaping: Escaping = Escaping.UNDERSCORES,
) -> bytes:
    """Return *metrics* as OpenMetrics; the parameters are those of text 0.0.4."""
    groups = gather(metrics, report, names)
    taken = frozenset([name for name, _ in groups])
    pages = _pages(escaping)
    parts = []
    for group in groups:
        parts += [_about(group, taken, escaping), pages.body(group, report)]
    parts.append("# EOF\n")
    return to_utf8("".join(parts))


@functools.cache
def _pages(escaping: Escaping) -> Pages[str]:
    return Pages(TextForm(_STYLE, escaping))


def _about(group: Group, taken: frozenset[str], escaping: Escaping) -> str:
    first = group[1][0]
    name, kind = _named(group[0], kind_of(first), taken)
    plain = title(name, escaping)
    lines = (
        f"# HELP {plain} {first.documentation.translate(_ESCAPES)}\n"
        f"# TYPE {plain} {kind}\n"
    )
    # OpenMetrics wants the unit to be the end of the name.
    if first.unit and name.endswith(f"_{first.unit}"):
        lines += f"# UNIT {plain} {first.unit}\n"
    return lines


def _named(name: str, kind: str, taken: frozenset[str]) -> tuple[str, str]:
    """Return the name and the type that OpenMetrics has for the family *name*.

    Where ``x`` is a family of its own, the counter ``x_total`` cannot be one too.
    """
    if kind == "untyped":
        return name, "unknown"
    if kind != "counter":
        return name, kind
    short = name.removesuffix(_SUFFIX)
    if short == name or short in taken:
        return name, "unknown"
    return short, kind


def _number(value: float) -> str:
    text = format_float(value)
    # Whole numbers get a fraction; 1e+06, NaN, +Inf and what has one do not.
    return f"{text}.0" if text.lstrip("-").isdecimal() else text


def _count(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else _number(value)


_STYLE = Style(value=_number, count=_count, stamp=_number)
