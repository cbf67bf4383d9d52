"""What an answer to a push means for its entries: status and body in, verdict out.

Loki's contract, with the bodies seen, is in shared/reference/promtail.md §3. Three
rules differ from promtail on purpose: only 204 means stored (260 and 200 are what
Loki says while it *blocks* a tenant), a 400 usually did store the rest, and a 500 can
mean that the push was too large.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from .refusals import Kind, parse_refusal


TRANSPORT = -1
"""Status of a push that got no answer; promtail's metrics show it as "-1"."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one push; *status* is TRANSPORT when nothing did."""

    status: int
    body: str = ""
    retry_after_seconds: float | None = None
    connected: bool = True  # False: no connection could be made at all


class Verdict(Enum):
    """What to do with the entries of a push."""

    STORED = auto()
    REFUSED = auto()  # the entries counted in `dropped` are refused, others stored
    SPLIT = auto()  # too large, or one entry spoils it: send the halves
    RETRY = auto()  # later, after a backoff
    LIMITED = auto()  # later, and smaller if it goes on
    HOLD = auto()  # something a person must set right: keep, ask now and then


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict, its reason in a few words, and the entries refused by reason."""

    verdict: Verdict
    reason: str = ""
    dropped: Mapping[str, int] = field(default_factory=dict)


_PLAIN = {
    204: Verdict.STORED,
    408: Verdict.RETRY,
    425: Verdict.RETRY,
    429: Verdict.LIMITED,
}


def judge(answer: Answer, entries: int, *, own_tenant: bool = True) -> Outcome:
    """Return what *answer* means for a push of *entries* in one stream.

    With *own_tenant* the tenant is the one in the settings, where a person can set it
    right; another one came with the lines, and would be refused for ever.
    """
    status, text = answer.status, first_line(answer.body)
    if status == TRANSPORT:
        return Outcome(Verdict.RETRY, text)
    reason = f"HTTP {status}: {text}" if text else f"HTTP {status}"
    if status == 400:
        return _judge_refusal(answer.body, entries, reason, own_tenant=own_tenant)
    if status == 413 or (status >= 500 and _too_large(answer.body)):
        return Outcome(Verdict.SPLIT, reason, {"too_large": 1})
    if status >= 500:
        return Outcome(Verdict.RETRY, reason)
    return Outcome(_PLAIN.get(status, Verdict.HOLD), reason)


def first_line(text: str, limit: int = 300) -> str:
    """Return the first line of *text*, cut after *limit* characters."""
    line = text.strip().partition("\n")[0].strip()
    return line if len(line) <= limit else line[:limit] + "…"


def _judge_refusal(
    body: str, entries: int, reason: str, *, own_tenant: bool
) -> Outcome:
    refusal = parse_refusal(body, entries)
    if refusal.kind is Kind.SETUP or (refusal.kind is Kind.TENANT and own_tenant):
        return Outcome(Verdict.HOLD, reason)
    if refusal.kind is Kind.UNKNOWN:  # perhaps one entry, perhaps none: see `doubt`
        return Outcome(Verdict.SPLIT, reason, {"bad_request": 1})
    return Outcome(Verdict.REFUSED, reason, refusal.dropped)


def _too_large(body: str) -> bool:
    """Recognise gRPC's limit behind a 500 (grafana/loki#8154, vector#20169)."""
    return "larger than max" in body and "message" in body
