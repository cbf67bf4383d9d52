"""What is counted and said of a batch's fate; what repeats is said once a minute."""

from __future__ import annotations

import logging
from collections.abc import Callable

from shipper.metrics import ClientMetrics, Reason

from .batch import Batch
from .body import Body
from .outcome import Answer, Outcome, Verdict
from .quiet import Quiet
from .route import Route


log = logging.getLogger(__name__)


class Reports:
    """The reports about one client, whose Loki is *host*."""

    def __init__(
        self,
        host: str,
        metrics: ClientMetrics,
        replaced: Callable[[str, int, int], None],
        clock: Callable[[], float],
    ) -> None:
        """Count in *metrics*; *replaced* hears of what was stored changed."""
        self._host = host
        self._metrics = metrics
        self._replaced = replaced
        self._quiet = Quiet(clock)

    def stored(self, route: Route, entries: int, body: Body) -> None:
        """Count what Loki took, and what of it was changed on the way."""
        self._metrics.sent(entries, len(body.data))
        if body.replaced_entries:
            self._replaced(route.tenant, body.replaced_entries, body.replaced_bytes)

    def waiting(
        self, route: Route, answer: Answer, outcome: Outcome, seconds: float
    ) -> None:
        """Count a push that is to be tried again in *seconds*."""
        self._metrics.retried(route.tenant)
        holding = outcome.verdict is Verdict.HOLD
        again = self._quiet.may_say((outcome.verdict, answer.status))
        if again is None:
            return
        log.log(
            logging.ERROR if holding else logging.WARNING,
            "Loki does not take logs, they are held until it does"
            if holding
            else "error sending batch, will retry",
            extra={"fields": {
                "host": self._host, "tenant": route.tenant,
                "status": answer.status, "error": outcome.reason,
                "stream": route.stream.text, "retry_in": f"{seconds:.1f}s",
                "suppressed": again,
            }},
        )  # fmt: skip

    def refused(self, route: Route, batch: Batch, outcome: Outcome, size: int) -> None:
        """Count what Loki refused; the rest of the batch it has stored."""
        entries = len(batch.tickets)
        dropped = sum(outcome.dropped.values())
        lost_bytes = size * dropped // entries  # which ones, Loki does not say exactly
        for reason, count in outcome.dropped.items():
            self._metrics.refused(reason, count)
        self._metrics.dropped(route.tenant, Reason.GENERIC, dropped, lost_bytes)
        if dropped < entries:
            self._metrics.sent(entries - dropped, size - lost_bytes)
        again = self._quiet.may_say(("refused", *outcome.dropped))
        if again is None:
            return
        example = batch.tickets[0].entry
        log.error(
            "Loki refused entries for good, they are dropped",
            extra={"fields": {
                "host": self._host, "tenant": route.tenant,
                "stream": route.stream.text, "dropped": dropped, "of": entries,
                "error": outcome.reason, "first_timestamp_ns": example.timestamp_ns,
                "suppressed": again,
            }},
        )  # fmt: skip

    def dropped(self, route: Route, entries: int, outcome: Outcome, size: int) -> None:
        """Count a batch given up as the user's settings ask."""
        limited = outcome.verdict is Verdict.LIMITED
        reason = Reason.RATE_LIMITED if limited else Reason.GENERIC
        self._metrics.dropped(route.tenant, reason, entries, size)
        again = self._quiet.may_say(("dropped", reason))
        if again is not None:
            log.error(
                "final error sending batch",
                extra={"fields": {
                    "host": self._host, "tenant": route.tenant,
                    "entries": entries, "error": outcome.reason, "suppressed": again,
                }},
            )  # fmt: skip
