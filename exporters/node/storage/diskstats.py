"""The columns of /proc/diskstats (Documentation/admin-guide/iostats.rst).

Counterpart of procfs' blockdevice; names, texts and units are node_exporter's.
"""

from __future__ import annotations

from typing import NamedTuple

from exporters.node import procfs


_SECTOR_BYTES = 512  # whatever the device's own is (Documentation/block/stat.rst)
_SECONDS_PER_TICK = 1.0 / 1000.0
_LEAST = 11  # Linux 2.6.25; 4.18 added four of discards, 5.5 two of flushes


class Column(NamedTuple):
    """One column of /proc/diskstats after the device's name, in order."""

    name: str
    help: str
    factor: float = 1


COLUMNS = (
    Column(
        "reads_completed_total", "The total number of reads completed successfully."
    ),
    Column("reads_merged_total", "The total number of reads merged."),
    Column(
        "read_bytes_total",
        "The total number of bytes read successfully.",
        _SECTOR_BYTES,
    ),
    Column(
        "read_time_seconds_total",
        "The total number of seconds spent by all reads.",
        _SECONDS_PER_TICK,
    ),
    Column(
        "writes_completed_total", "The total number of writes completed successfully."
    ),
    Column("writes_merged_total", "The number of writes merged."),
    Column(
        "written_bytes_total",
        "The total number of bytes written successfully.",
        _SECTOR_BYTES,
    ),
    Column(
        "write_time_seconds_total",
        "This is the total number of seconds spent by all writes.",
        _SECONDS_PER_TICK,
    ),
    Column("io_now", "The number of I/Os currently in progress."),
    Column(
        "io_time_seconds_total", "Total seconds spent doing I/Os.", _SECONDS_PER_TICK
    ),
    Column(
        "io_time_weighted_seconds_total",
        "The weighted # of seconds spent doing I/Os.",
        _SECONDS_PER_TICK,
    ),
    Column(
        "discards_completed_total",
        "The total number of discards completed successfully.",
    ),
    Column("discards_merged_total", "The total number of discards merged."),
    Column(
        "discarded_sectors_total",
        "The total number of sectors discarded successfully.",
    ),
    Column(
        "discard_time_seconds_total",
        "This is the total number of seconds spent by all discards.",
        _SECONDS_PER_TICK,
    ),
    Column(
        "flush_requests_total",
        "The total number of flush requests completed successfully",
    ),
    Column(
        "flush_requests_time_seconds_total",
        "This is the total number of seconds spent by all flush requests.",
        _SECONDS_PER_TICK,
    ),
)


class Disk(NamedTuple):
    """One line of /proc/diskstats; *values* are as many as the kernel has."""

    major: int
    minor: int
    name: str
    values: tuple[int, ...]


def parse(data: bytes) -> list[Disk]:
    """Return the disks of a diskstats file. Raises ValueError.

    Lines with fewer columns, partitions of Linux 2.4 and 2.6, are left out.
    """
    disks: list[Disk] = []
    for number, line in procfs.lines(data):
        columns = line.split()
        if len(columns) < _LEAST + 3:
            continue
        wanted = columns[3 : 3 + len(COLUMNS)]
        try:
            major, minor, *values = procfs.parse_uints([*columns[:2], *wanted])
        except ValueError as error:
            raise ValueError(f"diskstats:{number}: {error}") from None
        disks.append(Disk(major, minor, procfs.text(columns[2]), tuple(values)))
    return disks
