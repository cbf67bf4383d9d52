"""What the exporter counts about its own reading of an access log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from exporters.nginx.access_log.counts.families import counter
from exporters.toolkit.metric import Metric


log = logging.getLogger(__name__)

# One line in the log, however many an access log of another format would cause.
REPORT_SECONDS: Final = 60.0

_FAMILIES: Final = "nginx_exporter_access_log_"


class Tally:
    """Lines, lines that could not be read, and values that were no numbers.

    *name* is the access log's in the label ``log``, *clock* counts seconds.
    """

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        self._name = name
        self._clock = clock
        self._next_report = clock()
        self.lines = 0
        self.unreadable_lines = 0
        self.bad_values = 0

    def refuse_line(self, line: bytes, why: Callable[[bytes], str]) -> None:
        """Count *line*; *why* says what is wrong with it."""
        self.unreadable_lines += 1
        if self._is_time():
            self._report(why(line))

    def refuse_value(self, field: str) -> None:
        """Count a value of *field* that is no number."""
        self.bad_values += 1
        if self._is_time():
            self._report(f"{field}: expected a number from 0 on")

    def errors(self) -> int:
        """Return the number of both, which upstream counts together."""
        return self.unreadable_lines + self.bad_values

    def families(self, folded_lines: int) -> list[Metric]:
        """Return the exporter's own families about this log."""
        labels = {"log": self._name}
        reasons = [
            ({**labels, "reason": "line"}, self.unreadable_lines),
            ({**labels, "reason": "value"}, self.bad_values),
        ]
        return [
            counter(
                f"{_FAMILIES}lines_total",
                "Lines of the access log that arrived.",
                [(labels, self.lines)],
            ),
            counter(
                f"{_FAMILIES}folded_lines_total",
                "Lines counted under the label values other because there were too "
                "many label sets.",
                [(labels, folded_lines)],
            ),
            counter(
                f"{_FAMILIES}parse_errors_total",
                "Lines that are not of the format, and values that are no numbers.",
                reasons,
            ),
        ]

    def _is_time(self) -> bool:
        return self._clock() >= self._next_report

    def _report(self, problem: str) -> None:
        """Warn, without the line: it may hold personal data."""
        self._next_report = self._clock() + REPORT_SECONDS
        fields = {"log": self._name, "error": problem, "errors": self.errors()}
        log.warning("cannot read the access log", extra={"fields": fields})
