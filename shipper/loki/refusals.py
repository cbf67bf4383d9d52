"""What a 400 of Loki says: which entries it refused, and whether it kept the rest.

The texts are those of Loki 3.4.6: pkg/validation/validate.go, pkg/util/errors.go
(GroupedErrors), pkg/ingester/stream.go (errorForFailedEntries), pkg/loghttp/push.
With one stream per push every answer is about that stream.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """What a 400 means for the entries of the push."""

    PARTLY = auto()  # the named entries were refused, the rest was stored
    WHOLE = auto()  # the stream itself was refused: nothing stored, and never will be
    UNKNOWN = auto()  # nothing stored; which entry is at fault is not said
    TENANT = auto()  # Loki knows no tenant of that name, and cannot have one
    SETUP = auto()  # not about the entries at all: tenant, proxy, encoding


@dataclass(frozen=True, slots=True)
class Refusal:
    """A 400 taken apart; *dropped* counts refused entries by Loki's own reason."""

    kind: Kind
    dropped: Mapping[str, int]


# Reasons as Loki counts them in loki_discarded_samples_total.
_ABOUT_ENTRIES = (
    ("greater_than_max_sample_age", re.compile(r"has timestamp too old: ")),
    ("too_far_in_future", re.compile(r"has timestamp too new: ")),
    (
        "line_too_long",
        re.compile(r"(?i)max entry size '\d+' bytes exceeded for stream "),
    ),
    ("disallowed_structured_metadata", re.compile(r"includes structured metadata, ")),
    ("structured_metadata_too_large", re.compile(r"has structured metadata too large")),
    (
        "structured_metadata_too_many",
        re.compile(r"has too many structured metadata labels"),
    ),
)
_ABOUT_STREAM = (
    ("max_label_names_per_series", re.compile(r"has \d+ label names; limit \d+")),
    ("label_name_too_long", re.compile(r"has label name too long: ")),
    ("label_value_too_long", re.compile(r"has label value too long: ")),
    ("duplicate_label_names", re.compile(r"has duplicate label name: ")),
    ("missing_labels", re.compile(r"at least one label pair is required per stream")),
    ("missing_enforced_labels", re.compile(r"^missing required labels ")),
    ("invalid_labels", re.compile(r"^couldn't parse labels: |^Error parsing labels '")),
)
_IGNORED = re.compile(r"total ignored: (\d+) out of \d+ for stream: ")
_IGNORED_REASONS = (
    ("too_far_behind", re.compile(r"reason: 'entry too far behind")),
    ("out_of_order", re.compile(r"reason: 'entry out of order")),
)
_GROUP = re.compile(r"(?:^|; )(\d+) errors like: ")
_SETUP = re.compile(r"^\s*<|^no org id|Content-Encoding|^mime: |[Cc]ontent-?[Tt]ype")


_TENANT = re.compile(r"^tenant ID (?:'|is )|^multiple org IDs present")


def parse_refusal(body: str, entries: int) -> Refusal:
    """Return what the *body* of a 400 says about a push of *entries* in one stream."""
    text = body.strip()
    ignored = _IGNORED.search(text)
    if ignored and text.startswith("entry with timestamp "):
        count = min(int(ignored[1]), entries)
        return Refusal(Kind.PARTLY, {_first(_IGNORED_REASONS, text): count})
    if _TENANT.search(text):
        return Refusal(Kind.TENANT, {"invalid_tenant": entries})
    if _SETUP.search(text) and not _GROUP.search(text):
        return Refusal(Kind.SETUP, {})
    dropped: dict[str, int] = {}
    for count, message in messages(text):
        if reason := _match(_ABOUT_STREAM, message):
            return Refusal(Kind.WHOLE, {reason: entries})
        reason = _match(_ABOUT_ENTRIES, message)
        if reason is None:
            return Refusal(Kind.UNKNOWN, {})
        room = entries - sum(dropped.values())
        dropped[reason] = dropped.get(reason, 0) + min(count, room)
    return Refusal(Kind.PARTLY, dropped) if dropped else Refusal(Kind.UNKNOWN, {})


def messages(text: str) -> list[tuple[int, str]]:
    """Take ``N errors like: A; M errors like: B`` apart; one error counts once."""
    marks = list(_GROUP.finditer(text))
    if not marks or marks[0].start():
        return [(1, text)] if text else []
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [
        (int(mark[1]), text[mark.end() : end])
        for mark, end in zip(marks, ends, strict=True)
    ]


def _match(table: tuple[tuple[str, re.Pattern[str]], ...], text: str) -> str | None:
    return next((reason for reason, pattern in table if pattern.search(text)), None)


def _first(table: tuple[tuple[str, re.Pattern[str]], ...], text: str) -> str:
    return _match(table, text) or "out_of_order"
