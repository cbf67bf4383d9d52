"""What one client knows of its Loki's limits, and of the time there.

Two sources: Loki's own configuration pages, which hold until they are read again, and
the limits it names when it refuses, which hold ten minutes: a person may have raised
them since. Not known means sent as it is, and Loki judges.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from shipper.pipeline.entry import Entry, Labels

from .config_page import TenantLimits
from .fit import ENDLESS, Bounds
from .loki_limits import UNKNOWN, LokiLimits
from .told import told


TOLD_SECONDS: Final = 600.0
"""How long a limit that a refusal named is believed."""

MARGIN_NS: Final = 2_000_000_000
"""A Date header has whole seconds, and a push takes its time: only what is out of the
window by more than this is dropped here. The rest is for Loki to judge."""

FIRST_ANSWER_SECONDS: Final = 1.0
"""So long at most the first push waits for what Loki says of its limits."""

MAX_TENANTS: Final = 1024


class Knowledge:
    """The limits of one client's Loki, tenant by tenant."""

    def __init__(
        self,
        clock: Callable[[], float],
        wall_clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Know nothing yet; *clock* is monotonic, in seconds."""
        self._clock = clock
        self._wall_clock_ns = wall_clock_ns
        self._read: TenantLimits | None = None
        self._told: dict[str, tuple[float, LokiLimits]] = {}
        self._ahead_ns: int | None = None  # Loki's clock minus our monotonic one
        self._asking: asyncio.Event | None = None

    def expect(self) -> None:
        """Let first pushes wait a moment: Loki is being asked."""
        if self._asking is None:
            self._asking = asyncio.Event()

    def answered(self, found: TenantLimits | None, date_ns: int | None = None) -> None:
        """Note what Loki's pages say, None when they say nothing; and when it was."""
        self._read = found
        if found is not None and date_ns is not None:
            self._ahead_ns = date_ns - self._clock_ns()
        if self._asking is not None:
            self._asking.set()

    async def first_answer(self) -> None:
        """Wait, if Loki is being asked for the first time; not for long."""
        if self._asking is None or self._asking.is_set():
            return
        try:
            async with asyncio.timeout(FIRST_ANSWER_SECONDS):
                await self._asking.wait()
        except TimeoutError:
            self._asking.set()  # nobody else waits for it

    def refused(
        self, tenant: str, body: str, labels: Labels, entries: Sequence[Entry]
    ) -> None:
        """Learn from a refusal of *entries*, sent as the stream *labels*."""
        now_ns = max(self._times())
        found = told(body, labels, entries, now_ns)
        if found == UNKNOWN:
            return
        if len(self._told) >= MAX_TENANTS:
            self._told.clear()
        known = self._limits_told(tenant).under(found)
        self._told[tenant] = (self._clock() + TOLD_SECONDS, known)

    def bounds(self, tenant: str) -> Bounds:
        """Return what can be sent for *tenant* now."""
        limits = self._read.of(tenant) if self._read else UNKNOWN
        if self._told:
            limits = limits.under(self._limits_told(tenant))
        if limits.max_age_ns is None and limits.ahead_ns is None:
            return Bounds(limits)
        times = self._times()
        oldest, newest = -ENDLESS, ENDLESS
        if limits.max_age_ns is not None:
            oldest = min(times) - limits.max_age_ns - MARGIN_NS
        if limits.ahead_ns is not None:
            newest = max(times) + limits.ahead_ns + MARGIN_NS
        return Bounds(limits, oldest, newest)

    def _limits_told(self, tenant: str) -> LokiLimits:
        until, limits = self._told.get(tenant, (0.0, UNKNOWN))
        if self._clock() < until:
            return limits
        self._told.pop(tenant, None)
        return UNKNOWN

    def _times(self) -> tuple[int, int]:
        """Return what time it may be at Loki, by our clock and by its own.

        Ours may be wrong or set back and forth, and its own does not run on while this
        machine sleeps: a line is dropped for its time only when both say so.
        """
        ours = self._wall_clock_ns()
        if self._ahead_ns is None:
            return ours, ours
        return ours, self._clock_ns() + self._ahead_ns

    def _clock_ns(self) -> int:
        return int(self._clock() * 1e9)
