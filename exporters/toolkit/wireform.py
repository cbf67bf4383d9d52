"""Write samples as fields of a message ``io.prometheus.client.MetricFamily``.

Upstream counterpart: prometheus/client_model ``metrics.proto``; fields come in the
order of their numbers, as Go writes them.
"""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from .escaping import Escaping, escape_name
from .exposed import Exposed, ExposedSample
from .exposition import to_utf8
from .gathering import (
    Family,
    Group,
    Report,
    Row,
    collected_before,
    kind_of,
    merge,
)
from .metric import LabelValues, Metric
from .pages import Write
from .wire import block, double, whole


_Pairs = tuple[tuple[str, str], ...]

_KINDS: Final = {"counter": 0, "gauge": 1, "summary": 2, "untyped": 3, "histogram": 4}
# Field of Metric that holds the value, and the message around one double in it.
_VALUES: Final = {"gauge": 2, "counter": 3, "untyped": 5}
_SIMPLE: Final = struct.Struct("<BBBd")
_DOUBLE: Final = struct.Struct("<d")
_VALUE_TAG: Final = 1 << 3 | 1
# Field metric of a family, for what is short: all but histograms.
_PREFIXES: Final = [bytes((4 << 3 | 2, size)) for size in range(128)]


class WireForm:
    """Rows whose key is the encoded labels and whose payload is field 4, metric."""

    def __init__(self, escaping: Escaping) -> None:
        self._escaping = escaping

    def heads(
        self, _name: str, metric: Metric
    ) -> list[tuple[LabelValues, bytes]] | None:
        """Return the labels of each row; see `PageForm`."""
        labels, rows = metric.label_names or (), metric.rows
        if kind_of(metric) not in _VALUES or metric.created:
            return None
        if set(map(len, rows)) != {len(set(labels))}:
            return None
        found = [
            _head(tuple(zip(labels, row, strict=True)), self._escaping) for row in rows
        ]
        distinct = len({head for _, head in found}) == len(found)
        return found if distinct else None

    def write(self, name: str, metric: Metric, heads: list[bytes]) -> Write[bytes]:
        """Return what writes the message of *metric*; see `PageForm`."""
        front, back = self._around(name, metric)
        tag = bytes((_VALUES[kind_of(metric)] << 3 | 2, 9, _VALUE_TAG))
        # Field 4 up to its double, which is the last of it: all but that stays.
        starts = [_metric(head + tag + bytes(8))[:-8] for head in heads]
        pack = _DOUBLE.pack

        def written(values: Sequence[float]) -> bytes:
            pairs = zip(starts, values, strict=True)
            rows = [start + pack(value) for start, value in pairs]
            return b"".join([front, *rows, back])

        return written

    def merged(self, group: Group, report: Report) -> bytes:
        """Return the message of *group*; see `PageForm`."""
        front, back = self._around(group[0], group[1][0])
        rows = merge(group, self, report).rows
        return b"".join([front, *[row[3] for row in rows], back])

    def _around(self, name: str, first: Exposed) -> tuple[bytes, bytes]:
        """Return the fields before those of the metrics, and after."""
        front = (
            block(1, to_utf8(escape_name(name, self._escaping)))
            + block(2, to_utf8(first.documentation))
            + whole(3, _KINDS[kind_of(first)])
        )
        return front, block(5, to_utf8(first.unit)) if first.unit else b""

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
