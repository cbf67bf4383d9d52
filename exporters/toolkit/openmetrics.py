"""Print metrics as OpenMetrics text, series by series what text 0.0.4 shows.

A scraper must not see other series because it asked for another format, so, as
upstream's encoder: a counter without ``_total`` keeps its name and is ``unknown``,
``_created`` is not printed, and ``info`` and ``stateset`` stay gauges.
Upstream counterpart: prometheus/common ``expfmt/openmetrics_create.go``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .escaping import Escaping
from .exposition import to_utf8
from .gathering import Family, Report, gather
from .gotext import format_float
from .metric import Exposed
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
    families = gather(metrics, TextForm(_STYLE, escaping), report, names)
    taken = frozenset(family.name for family in families)
    text = "".join([_print(family, taken, escaping) for family in families])
    return to_utf8(f"{text}# EOF\n")


def _print(family: Family[str], taken: frozenset[str], escaping: Escaping) -> str:
    name, kind = _named(family, taken)
    plain = title(name, escaping)
    lines = [
        f"# HELP {plain} {family.help.translate(_ESCAPES)}\n",
        f"# TYPE {plain} {kind}\n",
    ]
    # OpenMetrics wants the unit to be the end of the name.
    if family.unit and name.endswith(f"_{family.unit}"):
        lines.append(f"# UNIT {plain} {family.unit}\n")
    return "".join(lines + [row[3] for row in family.rows])


def _named(family: Family[str], taken: frozenset[str]) -> tuple[str, str]:
    """Return the name and the type that OpenMetrics has for *family*.

    Where ``x`` is a family of its own, the counter ``x_total`` cannot be one too.
    """
    if family.kind == "untyped":
        return family.name, "unknown"
    if family.kind != "counter":
        return family.name, family.kind
    name = family.name.removesuffix(_SUFFIX)
    if name == family.name or name in taken:
        return family.name, "unknown"
    return name, family.kind


def _number(value: float) -> str:
    text = format_float(value)
    # Whole numbers get a fraction; 1e+06, NaN, +Inf and what has one do not.
    return f"{text}.0" if text.lstrip("-").isdecimal() else text


def _count(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else _number(value)


_STYLE = Style(value=_number, count=_count, stamp=_number)
