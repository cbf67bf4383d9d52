"""A token bucket (golang.org/x/time/rate AllowN): all of a request or nothing."""

from __future__ import annotations

from collections import OrderedDict

from shipper.wire.model import SECOND_NS


class Bucket:
    """Let *rate* bytes a second pass, and at most *burst* at once. Starts full."""

    __slots__ = ("_at_ns", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at_ns = 0

    def allow(self, size: int, now_ns: int) -> bool:
        """Take *size* bytes if they are there now; a refusal takes nothing."""
        if self._at_ns:
            passed = max(0, now_ns - self._at_ns) / SECOND_NS
            self._tokens = min(self._burst, self._tokens + passed * self._rate)
        self._at_ns = now_ns
        if size > self._tokens:
            return False
        self._tokens -= size
        return True


class TenantBuckets:
    """One bucket per tenant; the longest unused ones are forgotten."""

    def __init__(self, rate: float, burst: float, *, most: int = 1000) -> None:
        self._rate = rate
        self._burst = burst
        self._most = most
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def allow(self, tenant: str, size: int, now_ns: int) -> bool:
        """Return whether *tenant* may push *size* bytes now."""
        bucket = self._buckets.pop(tenant, None) or Bucket(self._rate, self._burst)
        self._buckets[tenant] = bucket
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return bucket.allow(size, now_ns)
