"""Which lines to ask for, page by page: pure, `take` what came and `ask` again.

A full page may be cut amid lines of one time. Those are left for the next page, which
begins with that time: so nothing is shown twice and nothing has to be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from .lines import Line


FLAGS_HEADER: Final = "X-Loki-Response-Encoding-Flags"
CATEGORIZE: Final = "categorize-labels"


@dataclass(frozen=True, slots=True)
class Window:
    """Nanoseconds since 1970, the end not included."""

    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class Ask:
    """One page."""

    window: Window
    limit: int
    forward: bool

    def params(self, query: str) -> dict[str, str]:
        """Return the parameters of /loki/api/v1/query_range."""
        return {
            "query": query,
            "start": str(self.window.start_ns),
            "end": str(self.window.end_ns),
            "limit": str(self.limit),
            "direction": "forward" if self.forward else "backward",
        }


class Pager:
    """Asks for the *limit* first (*forward*) or last lines of *window*; None: all."""

    def __init__(
        self, window: Window, *, limit: int | None, forward: bool, batch: int = 1000
    ) -> None:
        """Begin at the start, or the end, of *window*."""
        self.hidden_at: list[int] = []
        """Times that have more lines than the server shows of one time."""
        self._window = window
        self._left = limit
        self._forward = forward
        self._batch = batch
        self._most: int | None = None
        self._crowd: list[Line] | None = None
        self._done = window.start_ns >= window.end_ns

    def ask(self) -> Ask | None:
        """Return the next page to ask for, None at the end."""
        if self._done:
            return None
        if self._crowd is not None:
            at = self._crowd[0].timestamp_ns
            return Ask(Window(at, at + 1), self._batch, not self._forward)
        limit = self._batch if self._left is None else min(self._batch, self._left)
        return Ask(self._window, limit, self._forward)

    def refused(self, most: int) -> bool:
        """Note that the server gives *most* at once; return whether that helps."""
        helps = 0 < most < self._batch
        if helps:
            self._most = self._batch = most
        return helps

    def take(self, lines: Sequence[Line]) -> list[Line]:
        """Return what is to be shown of *lines*, the page asked for, oldest first."""
        ask = self.ask()
        assert ask is not None, "nothing was asked for"
        if self._crowd is not None:
            return self._hand_over(self._uncrowded(lines, self._crowd))
        if len(lines) < ask.limit or ask.limit == self._left:
            self._done = True
            return self._hand_over(lines)
        edge = lines[-1 if self._forward else 0].timestamp_ns
        shown = [line for line in lines if line.timestamp_ns != edge]
        if shown:
            self._continue_at(edge)
        else:
            self._widen(lines)
        return self._hand_over(shown)

    def _hand_over(self, lines: Sequence[Line]) -> list[Line]:
        shown = list(lines)
        if self._left is not None:
            if len(shown) > self._left:
                shown = self._nearest(shown, self._left)
            self._left -= len(shown)
            self._done = self._done or not self._left
        return shown

    def _nearest(self, lines: list[Line], count: int) -> list[Line]:
        return lines[:count] if self._forward else lines[-count:]

    def _continue_at(self, edge: int) -> None:
        if self._forward:
            self._window = replace(self._window, start_ns=edge)
        else:
            self._window = replace(self._window, end_ns=edge + 1)

    def _widen(self, lines: Sequence[Line]) -> None:
        """A page of one time: ask for a larger one, or else for its other end."""
        if self._most is None:
            self._batch *= 2
        else:
            self._crowd = list(lines)

    def _uncrowded(self, other: Sequence[Line], crowd: list[Line]) -> list[Line]:
        """Return *crowd* with what of its time the *other* direction has beyond it."""
        at = crowd[0].timestamp_ns
        known = set(crowd)
        new = [line for line in other if line not in known]
        if len(new) == len(other) >= self._batch:
            self.hidden_at.append(at)
        self._crowd = None
        if self._forward:
            self._window = replace(self._window, start_ns=at + 1)
            together = crowd + new
        else:
            self._window = replace(self._window, end_ns=at)
            together = new + crowd
        self._done = self._window.start_ns >= self._window.end_ns
        return together
