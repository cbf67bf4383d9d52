"""``pack``: put labels and the line into one JSON object (promtail stages/pack.go).

LogQL's ``unpack`` undoes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from exporters.toolkit.decode import OneOrMany
from shipper.pipeline.gojson import marshal
from shipper.pipeline.labelset import LabelSet, Memo
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop
from shipper.pipeline.values import text_of
from shipper.pipeline.weak import Flag


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What goes into the object; whether the line is from now then."""

    labels: Annotated[tuple[str, ...], OneOrMany()] = ()
    ingest_timestamp: Flag = True

    def build(self, workshop: Workshop) -> Filter:
        """Return the stage."""
        return _Pack(
            sorted(set(self.labels)), workshop.now_ns if self.ingest_timestamp else None
        )


class _Pack(Filter):
    """Packs what was extracted and is text; a label of that name is taken away."""

    def __init__(self, names: list[str], now_ns: Callable[[], int] | None) -> None:
        self._names = [(name, marshal(name)) for name in names]
        self._now_ns = now_ns
        self._memo: Memo[tuple[LabelSet, tuple[str, ...]], LabelSet] = Memo()

    def apply(self, record: Record) -> bool:
        pairs, packed = [], []
        for name, key in self._names:
            value = text_of(record.extracted.get(name))
            if value is not None:
                pairs.append(f"{key}:{marshal(value)}")
                packed.append(name)
        record.labels = self._without(record.labels, tuple(packed))
        # By hand: a packed label may itself be called _entry, and upstream writes both.
        pairs.append(f'"_entry":{marshal(record.line)}')
        record.line = f"{{{','.join(pairs)}}}"
        if self._now_ns is not None:
            record.timestamp_ns = self._now_ns()
        return True

    def _without(self, labels: LabelSet, names: tuple[str, ...]) -> LabelSet:
        key = labels, names
        return self._memo.get(key) or self._memo.remember(
            key, labels.without(names), labels.size
        )
