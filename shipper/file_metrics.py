"""Metrics of file targets (promtail targets/file/metrics.go), and two of ours."""

from __future__ import annotations

from contextlib import suppress

from prometheus_client.metrics import Counter, Gauge

from shipper.metrics import ShipperMetrics


class FileMeters:
    """Counts for the file side: implements `shipper.files.meters.Meters`."""

    def __init__(self, metrics: ShipperMetrics) -> None:
        """Create the metrics in the registry of *metrics*; all jobs share them."""
        registry = metrics.registry
        path = ("path",)
        self._read_bytes = Gauge(
            "promtail_read_bytes_total", "Number of bytes read.", path,
            registry=registry,
        )  # fmt: skip
        self._file_bytes = Gauge(
            "promtail_file_bytes_total", "Number of bytes total.", path,
            registry=registry,
        )  # fmt: skip
        self._read_lines = Counter(
            "promtail_read_lines_total", "Number of lines read.", path,
            registry=registry,
        )  # fmt: skip
        self._failed = Counter(
            "promtail_targets_failed_total", "Number of failed targets.", ("reason",),
            registry=registry,
        )  # fmt: skip
        self.files_active = Gauge(
            "promtail_files_active_total", "Number of active files.", registry=registry
        ).inc
        self.targets_active = Gauge(
            "promtail_targets_active_total", "Number of active total.",
            registry=registry,
        ).inc  # fmt: skip
        self.gaps = Counter(
            "shipper_files_lost_total",
            "Files that went away before they were known to be read to their end.",
            registry=registry,
        ).inc
        self.unreadable = Counter(
            "shipper_file_errors_total",
            "Attempts to read a file or a directory that failed.",
            registry=registry,
        ).inc
        self.truncated = metrics.truncated.inc

    def targets_failed(self, reason: str) -> None:
        """Count a target that is not used."""
        self._failed.labels(reason).inc()

    def read_bytes(self, path: str, offset: int) -> None:
        """Set how far the file is read."""
        self._read_bytes.labels(_text(path)).set(offset)

    def file_bytes(self, path: str, size: int) -> None:
        """Set how long the file is."""
        self._file_bytes.labels(_text(path)).set(size)

    def read_lines(self, path: str, count: int) -> None:
        """Count lines put."""
        self._read_lines.labels(_text(path)).inc(count)

    def forget(self, path: str) -> None:
        """Take the series of *path* away."""
        for metric in (self._read_bytes, self._file_bytes, self._read_lines):
            with suppress(KeyError):
                metric.remove(_text(path))


def _text(path: str) -> str:
    """Return *path* as a label value, which must be UTF-8."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
