"""The page ``/targets``: what is read, how it does, and what the rules drop, apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from shipper.source import Target

from .document import Frame, document
from .markup import Html, join, tag
from .parts import empty, plural, section, state_mark, streams, table, tools
from .state import Job, State, counts_of, hide, is_dropped, state_of


MOST_DROPPED: Final = 100
"""Rows of dropped targets on a page; JSON has them all."""

_HEAD: Final = (
    ("State", "narrow"), ("Kind", "narrow"), ("Name", ""), ("Labels", ""),
    ("Lag", "narrow"), ("Details", ""),
)  # fmt: skip


def targets_page(jobs: Sequence[Job], frame: Frame) -> str:
    """Return ``/targets`` as HTML."""
    counts = counts_of(jobs)
    sections = [_section(job) for job in jobs if job.counts.total() > _dropped(job)]
    if not sections:
        sections = [empty("Nothing is read: no job has found a target it may keep.")]
    drops = [target for job in jobs for target in job.targets if is_dropped(target)]
    body = join(tools(counts), *sections, _drops(drops))
    return document("targets", body, frame)


def lag_text(seconds: float | None) -> str:
    """Return *seconds* as people say it, a dash where it means nothing."""
    if seconds is None:
        return "–"
    whole = max(0, round(seconds))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if whole >= 2 * size:
            return f"{whole // size} {unit}"
    return f"{whole} s"


def details(found: Mapping[str, str]) -> Html:
    """Return *found* as a list of names and values."""
    pairs = (
        tag("div", tag("dt", name), tag("dd", hide(str(value))))
        for name, value in found.items()
    )
    return tag("dl", *pairs)


def _dropped(job: Job) -> int:
    return job.counts[State.DROPPED]


def _section(job: Job) -> Html:
    read = [target for target in job.targets if not is_dropped(target)]
    words = f"{job.counts[State.OK]} of {len(read)} ok"
    if _dropped(job):
        words += f", {plural(_dropped(job), 'target')} dropped by the rules"
    return section(job.name, words, table(_HEAD, map(_row, read)))


def _row(target: Target) -> Html:
    state = state_of(target)
    faults = [tag("div", hide(target.error), class_="fault")] if target.error else []
    return tag(
        "tr",
        tag("td", state_mark(state), class_="narrow"),
        tag("td", target.kind, class_="narrow kind"),
        tag("td", hide(target.name), class_="name"),
        tag("td", streams(target.streams)),
        tag(
            "td", lag_text(target.lag_seconds), class_="narrow lag", data_label="Lag",
            title="age of the oldest line that is read and not acknowledged",
        ),
        tag("td", *faults, *([details(target.details)] if target.details else [])),
        data_state=state,
    )  # fmt: skip


def _drops(dropped: Sequence[Target]) -> Html:
    if not dropped:
        return Html("")
    rows = [
        tag(
            "tr",
            tag("td", state_mark(State.DROPPED), class_="narrow"),
            tag("td", target.kind, class_="narrow kind"),
            tag("td", hide(target.name), class_="name"),
            tag("td", target.job, data_label="Job"),
            data_state=State.DROPPED,
        )
        for target in dropped[:MOST_DROPPED]
    ]
    text = f"{plural(len(dropped), 'target')} dropped by relabel_configs"
    if len(dropped) > MOST_DROPPED:
        text += f" ({MOST_DROPPED} shown)"
    head = (("State", "narrow"), ("Kind", "narrow"), ("Name", ""), ("Job", ""))
    inner = table(head, rows)
    return tag(
        "details", tag("summary", text), inner, class_="dropped", data_group=True
    )
