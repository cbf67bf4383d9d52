"""Pieces that more than one page shows: labels, states, the filter, tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from shipper.pipeline.entry import Labels

from .markup import Html, join, tag
from .state import State


NOTHING_YET: Final = "Nothing here yet."


def label(name: str, value: str) -> Html:
    """Return one label as a chip."""
    return tag("span", tag("i", f"{name}="), value or '""', class_="label")


def labels(pairs: Mapping[str, str] | Labels) -> Html:
    """Return *pairs* as chips, in the order of their names."""
    return join(*(label(name, value) for name, value in sorted(dict(pairs).items())))


def streams(found: Mapping[str, Labels]) -> Html:
    """Return the labels of streams: what they share once, then what sets them apart."""
    sets = {name: dict(pairs) for name, pairs in sorted(found.items())}
    if len(sets) < 2:
        return join(*(labels(one) for one in sets.values()))
    first, *others = sets.values()
    shared = dict(first.items())
    for other in others:
        shared = dict(shared.items() & other.items())
    own = {
        name: {k: v for k, v in one.items() if k not in shared}
        for name, one in sets.items()
    }
    return join(labels(shared), *(_stream(name, own[name]) for name in own))


def _stream(name: str, own: Mapping[str, str]) -> Html:
    """Return what sets a stream apart, and its name unless a label says it."""
    said = name in own.values()
    mark = Html("") if said else tag("b", f"{name} ")
    return tag("span", mark, labels(own), class_="stream")


def state_mark(state: State) -> Html:
    """Return *state* with its colour."""
    return tag("span", state, class_=f"state {state}")


def tools(counts: Counter[State], *, expands: bool = False) -> Html:
    """Return the filter box and a button for each state there is."""
    buttons = [
        tag(
            "button",
            tag("span", f"{counts[state]} {state}", class_=f"state {state}"),
            type="button",
            data_state=state,
            aria_pressed="false",
        )
        for state in State
        if counts[state]
    ]
    if expands:
        buttons.append(tag("button", "Expand all", type="button", id="expand"))
    box = tag(
        "input", type="search", id="filter", placeholder="Filter: name, label, error",
        aria_label="Filter", autocomplete="off",
    )  # fmt: skip
    count = tag("span", id="count", class_="count", role="status")
    return tag("div", box, *buttons, count, class_="tools needs-js")


def table(head: Sequence[tuple[str, str]], rows: Iterable[Html]) -> Html:
    """Return a table; *head* is (text, class) of each column."""
    cells = [tag("th", text, class_=kind, scope="col") for text, kind in head]
    body = tag("tbody", *rows)
    whole = tag("table", tag("thead", tag("tr", *cells)), body)
    return tag("div", whole, class_="card")


def empty(text: str) -> Html:
    """Return the place of a table that has no row."""
    return tag("div", tag("p", text, class_="empty"), class_="card")


def plural(count: int, noun: str) -> str:
    """Return ``1 target``, ``2 targets``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def section(job: str, words: str, inner: Html) -> Html:
    """Return what a page says of one job, under a heading to link to."""
    name = f"job-{job}"
    link = tag("a", job, id=name, href=f"#{name}")
    heading = tag("h2", link, tag("small", words))
    return tag("section", heading, inner, data_group=True)
