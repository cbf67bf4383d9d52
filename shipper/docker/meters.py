"""What the Docker side counts, as a seam: the metrics themselves live elsewhere."""

from __future__ import annotations

from typing import Protocol


class Meters(Protocol):
    """Counters of one job; every method adds *count*."""

    def entries(self, count: int) -> None:
        """Count lines put (``promtail_docker_target_entries_total``)."""

    def parsing_errors(self, count: int) -> None:
        """Count records without a readable timestamp.

        ``promtail_docker_target_parsing_errors_total``; the lines were put all the
        same.
        """

    def truncated(self, count: int) -> None:
        """Count lines cut because they are longer than what is kept of one."""

    def duplicates(self, count: int) -> None:
        """Count lines that Docker gave again and that were not put again."""

    def gaps(self, count: int) -> None:
        """Count places where Docker no longer had the lines that come next."""

    def rereads(self, count: int) -> None:
        """Count readings of Docker's files for what its follower may have left out."""

    def reconnects(self, count: int) -> None:
        """Count log connections that were lost or could not be opened."""


class NoMeters:
    """Count nothing."""

    def entries(self, count: int) -> None:
        """Ignore *count*."""

    parsing_errors = truncated = duplicates = gaps = rereads = reconnects = entries
