"""What the syslog side counts, as a seam: the metrics are in ``metrics.py``."""

from __future__ import annotations

from typing import Protocol


class Meters(Protocol):
    """Counters of all jobs; every method adds *count*."""

    def entries(self, count: int) -> None:
        """Count messages put (``promtail_syslog_target_entries_total``)."""

    def parsing_errors(self, count: int) -> None:
        """Count what is no message (``promtail_syslog_target_parsing_errors_total``).

        The bytes were put all the same.
        """

    def empty_messages(self, count: int) -> None:
        """Count messages without a text (``promtail_syslog_empty_messages_total``)."""

    def filtered(self, count: int) -> None:
        """Count messages that relabelling drops."""

    def truncated(self, count: int) -> None:
        """Count messages cut because they are longer than what is kept of one."""

    def overflowed(self, count: int) -> None:
        """Count datagrams dropped because more came than could be handed over."""

    def refused(self, count: int) -> None:
        """Count connections refused because there are too many."""


class NoMeters:
    """Count nothing."""

    def entries(self, count: int) -> None:
        """Ignore *count*."""

    parsing_errors = empty_messages = filtered = truncated = entries
    overflowed = refused = entries
