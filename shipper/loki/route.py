"""Where a client sends a stream to."""

from __future__ import annotations

from dataclasses import dataclass

from .body import Stream


@dataclass(frozen=True, slots=True)
class Route:
    """The stream as one client sends it: its labels there, and its tenant."""

    stream: Stream
    tenant: str
