"""``limit``: how many lines a second pass (promtail stages/limit.go)."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from exporters.toolkit.decode import Problem
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop
from shipper.pipeline.token_bucket import TokenBucket
from shipper.pipeline.weak import Count, Flag, Rate


log = logging.getLogger(__name__)

DROP_REASON: Final = "ratelimit_drop_stage"
MIN_DISTINCT_LABELS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Lines per second, how many at once, and whether more are dropped or wait.

    With *by_label_name* each value of that label has a limit of its own.
    """

    rate: Rate = 0.0
    burst: Count = 0
    drop: Flag = False
    by_label_name: str = ""
    max_distinct_labels: Count = 0

    def problems(self) -> Iterator[Problem]:
        if not (self.rate > 0 and self.burst > 0):  # nor NaN
            yield Problem(
                "limit stage failed to parse rate or burst: "
                "both are required and must be greater than 0"
            )
        if self.by_label_name and not self.drop:
            yield Problem("When ratelimiting by label, drop must be true")

    def build(self, workshop: Workshop) -> Filter:
        """Return the stage."""
        if self.by_label_name:
            return _LimitByLabel(self, workshop)
        bucket = TokenBucket(self.rate, self.burst, workshop.monotonic)
        return _LimitDropping(bucket, workshop) if self.drop else _LimitWaiting(bucket)


class _LimitDropping(Filter):
    """Drops what there is no token for."""

    def __init__(self, bucket: TokenBucket, workshop: Workshop) -> None:
        self._bucket = bucket
        self._meters = workshop.meters

    def apply(self, _: Record) -> bool:
        if self._bucket.allow():
            return True
        self._meters.dropped(DROP_REASON)
        return False


class _LimitWaiting(Filter):
    """Says how long a line has to wait for its token: the source waits with it."""

    def __init__(self, bucket: TokenBucket) -> None:
        self._bucket = bucket

    def apply(self, record: Record) -> bool:
        record.delay_seconds += self._bucket.reserve(record.delay_seconds)
        return True


class _LimitByLabel(Filter):
    """Has a bucket for each value of a label; a line without the label passes.

    Of too many values the one that was seen longest ago is forgotten: when it comes
    back, its bucket is full.
    """

    def __init__(self, config: Config, workshop: Workshop) -> None:
        if config.max_distinct_labels < MIN_DISTINCT_LABELS:
            log.warning(
                "max_distinct_labels was adjusted up to the minimal reasonable value "
                "of %d",
                MIN_DISTINCT_LABELS,
            )
        self._max_values = max(config.max_distinct_labels, MIN_DISTINCT_LABELS)
        self._config = config
        self._clock = workshop.monotonic
        self._meters = workshop.meters
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def apply(self, record: Record) -> bool:
        name = self._config.by_label_name
        value = record.labels.get(name)
        if value is None or self._bucket(value).allow():
            return True
        self._meters.dropped(DROP_REASON)
        self._meters.dropped_by_label(name, value)
        return False

    def _bucket(self, value: str) -> TokenBucket:
        bucket = self._buckets.get(value)
        if bucket is None:
            config = self._config
            bucket = TokenBucket(config.rate, config.burst, self._clock)
            self._buckets[value] = bucket
            if len(self._buckets) > self._max_values:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(value)
        return bucket
