"""What every source of lines is to the program: something to run, to stop, to show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from .pipeline.entry import Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One thing that is read (a container, a file, a listener), as the pages show it.

    *discovered* are the labels before the rules, *streams* those after them, by the
    name of what they are for (``stdout``, a path); no streams: the rules drop it.
    *lag_seconds* is the age of the oldest line that is read and not acknowledged, 0
    when there is none, None where that means nothing.
    """

    job: str
    kind: str
    name: str
    discovered: Mapping[str, str] = field(default_factory=dict)
    streams: Mapping[str, Labels] = field(default_factory=dict)
    lag_seconds: float | None = None
    error: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


class Source(Protocol):
    """Reads the lines of one job from one place and puts them to its sink."""

    async def run(self) -> None:
        """Read until `stop_reading`, whatever fails meanwhile; run it as a task."""

    def stop_reading(self) -> None:
        """Stop intake at once; what was put stays with the sink. `run` returns."""

    def not_ready(self) -> str | None:
        """Return in one line why nothing can be read, or None."""

    def targets(self) -> Iterable[Target]:
        """Return what is read now."""
