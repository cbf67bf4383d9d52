"""Write metrics as delimited protobuf messages ``io.prometheus.client.MetricFamily``.

Upstream counterparts: prometheus/client_model ``metrics.proto`` and prometheus/common
``expfmt/encode.go``; fields come in the order of their numbers, as Go writes them.
"""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from .escaping import Escaping, escape_name
from .exposition import to_utf8
from .gathering import Family, Report, Row, collected_before, gather, merge
from .metric import Exposed, ExposedSample
from .wire import block, double, varint, whole


_Pairs = tuple[tuple[str, str], ...]

_KINDS: Final = {"counter": 0, "gauge": 1, "summary": 2, "untyped": 3, "histogram": 4}
# Field of Metric that holds the value, and the message around one double in it.
_VALUES: Final = {"gauge": 2, "counter": 3, "untyped": 5}
_SIMPLE: Final = struct.Struct("<BBBd")
_VALUE_TAG: Final = 1 << 3 | 1
# Field metric of a family, for what is short: all but histograms.
_PREFIXES: Final = [bytes((4 << 3 | 2, size)) for size in range(128)]


def encode(
    metrics: Iterable[Exposed],
    report: Report,
    names: Collection[str] | None = None,
    escaping: Escaping = Escaping.UNDERSCORES,
) -> bytes:
    """Return *metrics*, each family after its length; see `exposition.encode`."""
    return b"".join(
        [
            varint(len(message)) + message
            for message in messages(metrics, report, names, escaping)
        ]
    )


def messages(
    metrics: Iterable[Exposed],
    report: Report,
    names: Collection[str] | None,
    escaping: Escaping,
) -> Iterator[bytes]:
    """Return one message MetricFamily for each family."""
    form = _WireForm(escaping)
    for group in gather(metrics, report, names):
        family = merge(group, form, report)
        parts = [
            block(1, to_utf8(escape_name(family.name, escaping))),
            block(2, to_utf8(family.help)),
            whole(3, _KINDS[family.kind]),
        ]
        parts += [row[3] for row in family.rows]
        if family.unit:
            parts.append(block(5, to_utf8(family.unit)))
        yield b"".join(parts)


class _WireForm:
    """Rows whose key is the encoded labels and whose payload is field 4, metric."""

    def __init__(self, escaping: Escaping) -> None:
        self._escaping = escaping

    def add(
        self,
        family: Family[bytes],
        samples: Sequence[ExposedSample],
        created: Sequence[ExposedSample],
        report: Report,
    ) -> None:
        times = {_ordered(s.labels): created_timestamp(s.value) for s in created}
        if family.kind in _VALUES:
            family.rows += self._simple(family.kind, samples, times)
        else:
            family.rows += self._grouped(family, samples, times, report)

    def _simple(
        self, kind: str, samples: Sequence[ExposedSample], times: Mapping[_Pairs, bytes]
    ) -> Iterator[Row[bytes]]:
        # The hot loop: 1,200 samples take about what their text takes.
        field = _VALUES[kind]
        tag = field << 3 | 2
        for sample in samples:
            labels = sample.labels
            values, head = _head(tuple(labels.items()), self._escaping)
            time = times.get(_ordered(labels)) if times else None
            if time:
                body = head + block(field, double(1, sample.value) + block(3, time))
            else:
                body = head + _SIMPLE.pack(tag, 9, _VALUE_TAG, sample.value)
            if sample.timestamp is not None:
                body += whole(6, round(float(sample.timestamp) * 1000))
            yield len(values), values, head, _metric(body)

    def _grouped(
        self,
        family: Family[bytes],
        samples: Sequence[ExposedSample],
        times: Mapping[_Pairs, bytes],
        report: Report,
    ) -> Iterator[Row[bytes]]:
        extra = "le" if family.kind == "histogram" else "quantile"
        groups: dict[_Pairs, _Group] = {}
        for sample in samples:
            labels = dict(sample.labels)
            bound = labels.pop(extra, None)
            group = groups.setdefault(_ordered(labels), _Group())
            suffix = sample.name.removeprefix(family.name)
            if not group.take(suffix, bound, sample.value):
                report(collected_before(f"{sample.name} {sample.labels}"))
        for pairs, group in groups.items():
            values, head = _head(pairs, self._escaping)
            written = group.histogram if family.kind == "histogram" else group.summary
            body = head + written(times.get(pairs, b""))
            yield len(values), values, head, _metric(body)


class _Group:
    """One histogram or summary while its samples come in."""

    def __init__(self) -> None:
        self.sum = 0.0
        self.count = 0.0
        self.bounds: dict[float, float] = {}
        self._seen: set[tuple[str, str | None]] = set()

    def take(self, suffix: str, bound: str | None, value: float) -> bool:
        """Keep *value*; return whether it is the first of its kind."""
        key = (suffix, bound)
        if key in self._seen:
            return False
        self._seen.add(key)
        if bound is not None:
            self.bounds[float(bound)] = value
        elif suffix in {"_sum", "_gsum"}:
            self.sum = value
        elif suffix in {"_count", "_gcount"}:
            self.count = value
        return True

    def summary(self, time: bytes) -> bytes:
        """Return field 4, summary."""
        parts = [whole(1, _count(self.count)), double(2, self.sum)]
        for quantile, value in sorted(self.bounds.items()):
            parts.append(block(3, double(1, quantile) + double(2, value)))
        if time:
            parts.append(block(4, time))
        return block(4, b"".join(parts))

    def histogram(self, time: bytes) -> bytes:
        """Return field 7, histogram; Go leaves the last bucket to the count."""
        parts = [whole(1, _count(self.count)), double(2, self.sum)]
        for bound, value in sorted(self.bounds.items()):
            if bound != math.inf:
                parts.append(block(3, whole(1, _count(value)) + double(2, bound)))
        if time:
            parts.append(block(15, time))
        return block(7, b"".join(parts))


def _count(value: float) -> int:
    return int(value) if 0 <= value < 1 << 64 else 0


def _metric(body: bytes) -> bytes:
    size = len(body)
    return _PREFIXES[size] + body if size < 128 else block(4, body)


def created_timestamp(seconds: float) -> bytes:
    """Return the message google.protobuf.Timestamp of *seconds* since 1970."""
    nanoseconds = round(seconds * 1e9)
    second, rest = divmod(nanoseconds, 10**9)
    return whole(1, second) + (whole(2, rest) if rest else b"")


def _ordered(labels: Mapping[str, str]) -> _Pairs:
    return tuple(sorted(labels.items()))


@functools.lru_cache(maxsize=8192)
def _head(pairs: _Pairs, escaping: Escaping) -> tuple[tuple[str, ...], bytes]:
    """Return the values of the labels, and the labels encoded, in upstream's order."""
    pairs = tuple(sorted(pairs))
    head = [
        block(1, block(1, to_utf8(escape_name(name, escaping))) + block(2, to_utf8(v)))
        for name, v in pairs
    ]
    return tuple([value for _, value in pairs]), b"".join(head)
