"""What the file side counts, as a seam: the metrics themselves live elsewhere."""

from __future__ import annotations

from typing import Protocol


class Meters(Protocol):
    """Numbers of one job (promtail targets/file/metrics.go), *path* is the file's."""

    def files_active(self, change: int) -> None:
        """Add *change* to the files tailed (``promtail_files_active_total``)."""

    def targets_active(self, change: int) -> None:
        """Add *change* to the targets in use (``promtail_targets_active_total``)."""

    def targets_failed(self, reason: str) -> None:
        """Count a target not used: dropped, wrong_host, no_path, exists or error.

        ``promtail_targets_failed_total{reason}``.
        """

    def read_bytes(self, path: str, offset: int) -> None:
        """Set how far the file is read (gauge ``promtail_read_bytes_total{path}``)."""

    def file_bytes(self, path: str, size: int) -> None:
        """Set how long the file is (gauge ``promtail_file_bytes_total{path}``)."""

    def read_lines(self, path: str, count: int) -> None:
        """Count lines put (``promtail_read_lines_total{path}``)."""

    def forget(self, path: str) -> None:
        """Take the series of *path* away: it is not tailed any more."""

    def truncated(self, count: int) -> None:
        """Count lines cut because they are longer than what is kept of one."""

    def gaps(self, count: int) -> None:
        """Count files that went away before they were known to be read to the end."""

    def unreadable(self, count: int) -> None:
        """Count attempts to read a file or a directory that failed."""


class NoMeters:
    """Count nothing."""

    def files_active(self, change: int) -> None:
        """Ignore *change*."""

    def targets_failed(self, reason: str) -> None:
        """Ignore *reason*."""

    def read_bytes(self, path: str, offset: int) -> None:
        """Ignore *path* and *offset*."""

    def file_bytes(self, path: str, size: int) -> None:
        """Ignore *path* and *size*."""

    def read_lines(self, path: str, count: int) -> None:
        """Ignore *path* and *count*."""

    def forget(self, path: str) -> None:
        """Ignore *path*."""

    def truncated(self, count: int) -> None:
        """Ignore *count*."""

    targets_active = files_active
    gaps = unreadable = truncated
