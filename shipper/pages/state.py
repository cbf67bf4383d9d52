"""What the targets amount to: a state for each, counts for each job. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shipper.source import Target


LAGGING_SECONDS: Final = 60.0
"""How old a line that is read may be, unacknowledged, before the pages warn."""

HIDDEN: Final = "<secret>"
_LOGIN: Final = re.compile(r"(://[^/\s:@]*:)[^/\s@]+@")
_SECRET_NAME: Final = re.compile(
    r"passw|secret|token|basicauth|api_?key|private_?key|credential", re.IGNORECASE
)


class State(StrEnum):
    """How a target does; the worst first."""

    ERROR = "error"
    LAGGING = "lagging"
    OK = "ok"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Job:
    """The targets of one job, the worst first."""

    name: str
    targets: tuple[Target, ...]

    @property
    def counts(self) -> Counter[State]:
        """Return how many targets are in each state."""
        return Counter(map(state_of, self.targets))


def state_of(target: Target) -> State:
    """Return the state of *target*."""
    if target.error:
        return State.ERROR
    if not target.streams:
        return State.DROPPED
    lag = target.lag_seconds or 0.0
    return State.LAGGING if lag > LAGGING_SECONDS else State.OK


def is_dropped(target: Target) -> bool:
    """Return whether the rules of its job drop *target*."""
    return state_of(target) is State.DROPPED


def jobs_of(targets: Iterable[Target]) -> list[Job]:
    """Return *targets* by job."""
    found: dict[str, list[Target]] = {}
    for target in targets:
        found.setdefault(target.job, []).append(target)
    return [
        Job(name, tuple(sorted(found[name], key=_worst_first)))
        for name in sorted(found)
    ]


def counts_of(jobs: Iterable[Job]) -> Counter[State]:
    """Return how many targets of all *jobs* are in each state."""
    return sum((job.counts for job in jobs), Counter[State]())


def discovered(target: Target) -> Mapping[str, str]:
    """Return the labels before the rules, without what looks like a secret.

    They hold every label of a container, and people put passwords there.
    """
    return {
        name: HIDDEN if value and _SECRET_NAME.search(name) else hide(value)
        for name, value in sorted(target.discovered.items())
    }


def hide(text: str) -> str:
    """Return *text* without the passwords of URLs in it."""
    return _LOGIN.sub(rf"\1{HIDDEN}@", text)


_ORDER: Final = tuple(State)


def _worst_first(target: Target) -> tuple[int, str, str]:
    return _ORDER.index(state_of(target)), target.name, target.kind
