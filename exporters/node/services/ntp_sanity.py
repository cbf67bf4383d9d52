"""Whether an NTP server's answer is to be believed (node_exporter collector/ntp.go)."""

from __future__ import annotations

import logging

from exporters.node.services.sntp import LEAP_ADD, LEAP_DELETE, NANOSECONDS, Answer


log = logging.getLogger(__name__)

_DAY = 86_400 * NANOSECONDS


class Judge:
    """Says whether an answer is sane; remembers the last leap second announced."""

    def __init__(self, max_distance_ns: int, tolerance_ns: int) -> None:
        """Allow a distance to the primary source, and a contradiction of clocks."""
        self._max_distance = max_distance_ns
        self._tolerance = tolerance_ns
        self._leap_midnight: int | None = None

    def is_sane(self, answer: Answer) -> bool:
        """Return whether a clock may be set by *answer*; log why not, for debugging."""
        problem = self._problem(answer)
        if problem is not None:
            log.debug("NTP server is not sane", extra={"fields": {"err": problem}})
        return problem is None

    def _problem(self, answer: Answer) -> str | None:
        tolerance = self._tolerance + self._smearing(answer)
        if answer.root_distance > self._max_distance:
            return "too far from the primary source"
        if answer.min_error > tolerance:
            return "its clock and the local one contradict each other"
        return answer.problem()

    def _smearing(self, answer: Answer) -> int:
        """Return how far off the server may be because of a leap second, in ns."""
        if answer.leap in {LEAP_ADD, LEAP_DELETE}:
            # The announcement ends at midnight, but the smearing does not.
            self._leap_midnight = (answer.time // _DAY + 1) * _DAY
        midnight = self._leap_midnight
        is_near = midnight is not None and abs(answer.time - midnight) < _DAY
        return NANOSECONDS if is_near else 0
