"""What of a refused push can be sent again, changed, now that Loki named a limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .fit import Fitted, fit
from .knowledge import Knowledge
from .part import Push


MOST_CHANGES = 4
"""So often entries are sent again, changed after a limit that Loki named."""


class Resend(NamedTuple):
    """*again* has the places in the push; *dropped* what is refused for good."""

    again: frozenset[int]
    dropped: Mapping[str, int]


def resend(push: Push, knowledge: Knowledge) -> Resend:
    """Learn from the refusal of *push*; return what of it can go again."""
    tenant, sent, dropped = push.route.tenant, push.fitted, push.outcome.dropped
    knowledge.refused(tenant, push.answer.body, sent.stream.labels, sent.entries)
    if push.part.changes >= MOST_CHANGES:
        return Resend(frozenset(), dropped)
    now = fit(
        push.route.stream,
        sent.batch,
        knowledge.bounds(tenant),
        push.part.longest_bytes,
        text=sent.text,
    )
    return compare(dropped, sent, now)


def compare(dropped: Mapping[str, int], sent: Fitted, now: Fitted) -> Resend:
    """Return what of *sent* goes again: what would be sent otherwise *now*.

    *dropped* counts what was refused, by reason; the rest of *sent* was stored. A
    stream that was refused as a whole, and has other labels now, goes again entirely.
    """
    if now.stream != sent.stream:
        return Resend(frozenset(range(len(sent.entries))), {})
    fitted = {
        id(as_it_was): entry
        for as_it_was, entry in zip(now.batch.entries, now.entries, strict=True)
    }
    pairs = zip(sent.batch.entries, sent.entries, strict=True)
    again = frozenset(
        place
        for place, (as_it_was, entry) in enumerate(pairs)
        if fitted.get(id(as_it_was), entry) != entry
    )
    left = dict(dropped)
    for (reason, _), count in (now.notes() - sent.notes()).items():
        if reason in left:
            left[reason] -= count
    return Resend(again, _at_most(left, len(sent.entries) - len(again)))


def _at_most(counts: Mapping[str, int], room: int) -> dict[str, int]:
    """Return *counts* without what is not positive or goes beyond *room*."""
    kept: dict[str, int] = {}
    for reason, count in counts.items():
        if (count := min(count, room)) > 0:
            kept[reason] = count
            room -= count
    return kept
