"""The page ``/service-discovery``: labels before the rules, and after them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from shipper.source import Target

from .document import Frame, document
from .markup import Html, join, tag
from .parts import (
    NOTHING_YET,
    empty,
    labels,
    plural,
    section,
    state_mark,
    streams,
    table,
    tools,
)
from .state import Job, State, counts_of, discovered, hide, is_dropped, state_of
from .targets import MOST_DROPPED


_HEAD: Final = (
    ("State", "narrow"), ("Name", ""), ("Discovered labels", ""), ("Target labels", ""),
)  # fmt: skip
_FEW: Final = 4


def discovery_page(jobs: Sequence[Job], frame: Frame) -> str:
    """Return ``/service-discovery`` as HTML."""
    sections = [_section(job) for job in jobs] or [empty(NOTHING_YET)]
    body = join(tools(counts_of(jobs), expands=True), *sections)
    return document("service-discovery", body, frame)


def _section(job: Job) -> Html:
    dropped = job.counts[State.DROPPED]
    total = len(job.targets)
    words = f"{total - dropped} of {plural(total, 'target')} active, {dropped} dropped"
    if dropped > MOST_DROPPED:
        words += f" ({MOST_DROPPED} of them shown)"
    return section(job.name, words, table(_HEAD, map(_row, _shown(job))))


def _shown(job: Job) -> Iterator[Target]:
    left = MOST_DROPPED
    for target in job.targets:
        if is_dropped(target):
            left -= 1
            if left < 0:
                continue
        yield target


def _row(target: Target) -> Html:
    state = state_of(target)
    before = discovered(target)
    inner = labels(before)
    if len(before) > _FEW:
        inner = tag("details", tag("summary", plural(len(before), "label")), inner)
    after = streams(target.streams)
    if state is State.DROPPED:
        after = tag("span", "dropped by relabel_configs", class_="kind")
    return tag(
        "tr",
        tag("td", state_mark(state), class_="narrow"),
        tag("td", hide(target.name), class_="name"),
        tag("td", inner),
        tag("td", after),
        data_state=state,
    )
