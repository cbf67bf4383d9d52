"""What is counted and said of a batch's fate; what repeats is said once a minute."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from shipper.metrics import ClientMetrics, Reason
from shipper.pipeline.entry import Entry

from .body import Body
from .fit import Action, Dropped, Note
from .outcome import Outcome, Verdict
from .part import Push
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

    def waiting(self, push: Push, seconds: float) -> None:
        """Count a push that is to be tried again in *seconds*."""
        route, answer, outcome = push.route, push.answer, push.outcome
        holding = push.held
        self._metrics.retried(route.tenant)
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

    def refused(
        self,
        route: Route,
        entries: Sequence[Entry],
        dropped: Mapping[str, int],
        reason: str,
        size: int,
    ) -> None:
        """Count what Loki refused of *entries*, *size* bytes; the rest it has stored.

        *dropped* has the entries by Loki's own words for it, *reason* its answer.
        """
        count, lost = len(entries), sum(dropped.values())
        if not lost:
            self._metrics.sent(count, size)
            return
        lost_bytes = size * lost // count  # which ones, Loki does not say exactly
        for word, times in dropped.items():
            self._metrics.refused(word, times)
        self._metrics.dropped(route.tenant, Reason.GENERIC, lost, lost_bytes)
        if lost < count:
            self._metrics.sent(count - lost, size - lost_bytes)
        again = self._quiet.may_say(("refused", *dropped))
        if again is None:
            return
        log.error(
            "Loki refused entries for good, they are dropped",
            extra={"fields": {
                "host": self._host, "tenant": route.tenant,
                "stream": route.stream.text, "dropped": lost, "of": count,
                "error": reason,
                "first_timestamp_ns": entries[0].timestamp_ns,
                "suppressed": again,
            }},
        )  # fmt: skip

    def out_of_time(self, route: Route, dropped: Sequence[Dropped]) -> None:
        """Count entries that Loki would refuse for their time, as if it had."""
        for _, entry, reason in dropped:
            self._metrics.refused(reason, 1)
            size = len(entry.line)
            self._metrics.dropped(route.tenant, Reason.GENERIC, 1, size)
            self._limited(route, (reason, Action.DROPPED), 1, entry)

    def limited(
        self, route: Route, notes: Counter[Note], entries: Sequence[Entry]
    ) -> None:
        """Count what was done so that Loki takes *entries*."""
        for note, count in notes.items():
            self._limited(route, note, count, max(entries, key=_size))

    def _limited(self, route: Route, note: Note, count: int, example: Entry) -> None:
        reason, action = note
        self._metrics.limited(reason, action, count)
        again = self._quiet.may_say(note)
        if again is None:
            return
        log.warning(  # never the line itself: it may hold a secret
            "log entries are over a limit of Loki",
            extra={"fields": {
                "host": self._host, "tenant": route.tenant, "reason": reason,
                "action": action.value, "entries": count,
                "stream": route.stream.text,
                "example_timestamp_ns": example.timestamp_ns,
                "example_bytes": _size(example), "suppressed": again,
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


def _size(entry: Entry) -> int:
    return len(entry.line)
