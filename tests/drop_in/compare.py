"""Ask two Prometheus and two Loki the same; say what differs and nobody explained."""

from __future__ import annotations

import re
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from tests.drop_in.explained import EXPLAINED
from tests.e2e.stack import get_json


Labels = frozenset[tuple[str, str]]
Streams = dict[Labels, Counter[tuple[int, str]]]

METRIC = re.compile(r"\b(?:node|nginx|process|promtail)_\w+")
PAGE = 5000  # the most that Loki gives at once
DAY_NS = 24 * 3600 * 10**9
ROUNDS = 12
PAUSE_SECONDS = 1.0  # below a scrape's interval: a device may come or go between two


class Difference(NamedTuple):
    """One series that only one of the two has."""

    side: str  # "only theirs" or "only ours"
    labels: Labels

    @property
    def family(self) -> str:
        """Return the name of the metric."""
        return dict(self.labels).get("__name__", "")

    def __str__(self) -> str:
        text = ", ".join(f'{key}="{value}"' for key, value in sorted(self.labels))
        return f"{self.side}: {{{text}}}"


def label_sets(url: str, expression: str) -> set[Labels]:
    """Return the labels of what the Prometheus at *url* answers to *expression*."""
    query = urllib.parse.urlencode({"query": expression})
    data = get_json(f"{url}/api/v1/query?{query}")["data"]
    if data["resultType"] != "vector":
        return {frozenset({("", data["resultType"])})}
    return {frozenset(_still(row["metric"]).items()) for row in data["result"]}


def _still(labels: dict[str, str]) -> dict[str, str]:
    """Return *labels* without what is each container's own: its host name, its MAC."""
    own = {"nodename", "address"}
    return {name: value for name, value in labels.items() if name not in own}


def answers(url: str, expression: str) -> list[Any]:
    """Return what the Loki at *url* has for *expression* of the last 15 minutes."""
    now = time.time_ns()
    parameters = {"query": expression, "start": now - 900 * 10**9, "end": now}
    query = urllib.parse.urlencode({**parameters, "step": "15s"})
    answer = get_json(f"{url}/loki/api/v1/query_range?{query}")
    result: list[Any] = answer["data"]["result"]
    return result


def differences(theirs: str, ours: str, asked: Iterable[str]) -> list[str]:
    """Return what differs in every round: hosts of containers are never still."""
    remaining = dict.fromkeys(asked, frozenset[Difference]())
    for number in range(ROUNDS):
        found = {
            expression: _once(theirs, ours, expression) for expression in remaining
        }
        if number:
            found = {text: those & remaining[text] for text, those in found.items()}
        remaining = {text: those for text, those in found.items() if those}
        if not remaining:
            break
        time.sleep(PAUSE_SECONDS)
    return [
        f"{expression}: {difference}"
        for expression, those in remaining.items()
        for difference in sorted(those, key=str)
    ]


def _once(theirs: str, ours: str, expression: str) -> frozenset[Difference]:
    them, us = label_sets(theirs, expression), label_sets(ours, expression)
    found = {Difference("only theirs", labels) for labels in them - us}
    found |= {Difference("only ours", labels) for labels in us - them}
    return frozenset(one for one in found if not explained(one, expression))


def explained(difference: Difference, expression: str) -> bool:
    """Tell whether the table has a reason for *difference* in the answer."""
    families = [difference.family] if difference.family else METRIC.findall(expression)
    text = ",".join(f'{key}="{value}"' for key, value in sorted(difference.labels))
    return any(
        entry.side in {difference.side, "both"}
        and any(re.fullmatch(entry.family, family) for family in families)
        and re.search(entry.labels, text)
        for entry in EXPLAINED
    )


def streams(url: str, selector: str) -> Streams:
    """Return every line that the Loki at *url* has for *selector*, by its labels."""
    found: Streams = {}
    start = time.time_ns() - DAY_NS
    while rows := _page(url, selector, start):
        newest = max(ns for _, ns, _ in rows)
        more = len(rows) >= PAGE
        for labels, ns, line in rows:
            # The last nanosecond may go on in the next page: ask for it again whole.
            if not more or ns < newest:
                found.setdefault(labels, Counter())[ns, line] += 1
        if not more:
            break
        start = newest
    return found


def _page(url: str, selector: str, start: int) -> list[tuple[Labels, int, str]]:
    parameters: dict[str, Any] = {
        "query": selector,
        "start": start,
        "end": time.time_ns() + 60 * 10**9,
        "direction": "forward",
        "limit": PAGE,
    }
    answer = get_json(
        f"{url}/loki/api/v1/query_range?{urllib.parse.urlencode(parameters)}"
    )
    return [
        (frozenset(_own(stream["stream"]).items()), int(ns), line)
        for stream in answer["data"]["result"]
        for ns, line in stream["values"]
    ]


def _own(labels: dict[str, str]) -> dict[str, str]:
    """Return *labels* without the one that Loki adds by looking at each line."""
    return {name: value for name, value in labels.items() if name != "detected_level"}


def until(found: Streams, ns: int) -> Streams:
    """Return the part of *found* that is not younger than *ns*."""
    cut = {
        labels: Counter({key: count for key, count in rows.items() if key[0] <= ns})
        for labels, rows in found.items()
    }
    return {labels: rows for labels, rows in cut.items() if rows}


def shape(theirs: Streams, ours: Streams, *, times: bool) -> list[str]:
    """Return how the two differ: streams, and lines with or without their *times*."""
    found = [f"only theirs: {dict(labels)}" for labels in theirs.keys() - ours.keys()]
    found += [f"only ours: {dict(labels)}" for labels in ours.keys() - theirs.keys()]
    for labels in theirs.keys() & ours.keys():
        them, us = (_rows(side[labels], times=times) for side in (theirs, ours))
        name = dict(labels)
        found += [f"only theirs in {name}: {row}" for row in sorted(them - us)]
        found += [f"only ours in {name}: {row}" for row in sorted(us - them)]
    return found


def _rows(rows: Counter[tuple[int, str]], *, times: bool) -> set[tuple[int, str]]:
    return {(ns if times else 0, line) for ns, line in rows}
