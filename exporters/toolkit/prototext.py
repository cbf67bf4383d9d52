"""Show protobuf messages as text, for ``encoding=text`` and ``compact-text``.

Upstream counterpart: google.golang.org/protobuf ``encoding/prototext``, whose spaces
between fields are deliberately not the same in every build; one space here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from .escaping import Escaping
from .exposed import Exposed
from .gathering import Report
from .gotext import format_float
from .protobuf import messages
from .wire import fields, read_double


@dataclass(frozen=True, slots=True)
class _Message:
    """The names of a message's fields, and what the values are."""

    names: Mapping[int, str]
    inner: Mapping[int, _Message]
    texts: frozenset[int] = frozenset()
    enums: Mapping[int, tuple[str, ...]] | None = None


_TIME: Final = _Message({1: "seconds", 2: "nanos"}, {})
_LABEL: Final = _Message({1: "name", 2: "value"}, {}, frozenset({1, 2}))
_NUMBER: Final = _Message({1: "value", 3: "created_timestamp"}, {3: _TIME})
_QUANTILE: Final = _Message({1: "quantile", 2: "value"}, {})
_BUCKET: Final = _Message({1: "cumulative_count", 2: "upper_bound"}, {})
_SUMMARY: Final = _Message(
    {1: "sample_count", 2: "sample_sum", 3: "quantile", 4: "created_timestamp"},
    {3: _QUANTILE, 4: _TIME},
)
_HISTOGRAM: Final = _Message(
    {1: "sample_count", 2: "sample_sum", 3: "bucket", 15: "created_timestamp"},
    {3: _BUCKET, 15: _TIME},
)
_METRIC: Final = _Message(
    {
        1: "label",
        2: "gauge",
        3: "counter",
        4: "summary",
        5: "untyped",
        6: "timestamp_ms",
        7: "histogram",
    },
    {1: _LABEL, 2: _NUMBER, 3: _NUMBER, 4: _SUMMARY, 5: _NUMBER, 7: _HISTOGRAM},
)
_FAMILY: Final = _Message(
    {1: "name", 2: "help", 3: "type", 4: "metric", 5: "unit"},
    {4: _METRIC},
    frozenset({1, 2, 5}),
    {3: ("COUNTER", "GAUGE", "SUMMARY", "UNTYPED", "HISTOGRAM")},
)
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_NUMBERS: Final = {"NaN": "nan", "+Inf": "inf", "-Inf": "-inf"}


def encode(
    metrics: Iterable[Exposed],
    report: Report,
    names: Collection[str] | None = None,
    escaping: Escaping = Escaping.UNDERSCORES,
    *,
    compact: bool = False,
) -> bytes:
    """Return *metrics*, a field a line, or a family a line if *compact*."""
    shown = []
    for message in messages(metrics, report, names, escaping):
        if compact:
            shown.append(" ".join(_compact(message, _FAMILY)) + "\n")
        else:
            shown.append("".join(_lines(message, _FAMILY, "")) + "\n")
    return "".join(shown).encode()


def _compact(message: bytes, kind: _Message) -> Iterator[str]:
    for number, value in fields(message):
        name, inner = kind.names[number], kind.inner.get(number)
        if inner is not None and isinstance(value, bytes):
            yield f"{name}:{{{' '.join(_compact(value, inner))}}}"
        else:
            yield f"{name}:{_scalar(number, value, kind)}"


def _lines(message: bytes, kind: _Message, indent: str) -> Iterator[str]:
    for number, value in fields(message):
        name, inner = kind.names[number], kind.inner.get(number)
        if inner is not None and isinstance(value, bytes):
            yield f"{indent}{name}: {{\n"
            yield from _lines(value, inner, indent + "  ")
            yield f"{indent}}}\n"
        else:
            yield f"{indent}{name}: {_scalar(number, value, kind)}\n"


def _scalar(number: int, value: int | bytes, kind: _Message) -> str:
    if isinstance(value, int):
        names = (kind.enums or {}).get(number)
        if names is not None:
            return names[value]
        return str(value - (1 << 64) if value >= 1 << 63 else value)
    if number in kind.texts:
        return '"' + "".join(map(_shown, value.decode())) + '"'
    return _NUMBERS.get(text := format_float(read_double(value)), text)


def _shown(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x20 or code == 0x7F else char
