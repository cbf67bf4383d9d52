"""I/O counters of SCSI tape drives (node_exporter collector/tapestats_linux.go).

The kernel's side is Documentation/scsi/st.rst: times in nanoseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from exporters.node.attributes import Attributes, list_devices
from exporters.node.families import Families
from exporters.node.integers import unsigned
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.flags import string
from exporters.toolkit.metric import Metric
from exporters.toolkit.regex import Regex


IGNORED_DEVICES = string(
    "collector.tapestats.ignored-devices",
    "Regexp of devices to ignore for tapestats.",
    default="^$",
)


class _Counter(NamedTuple):
    file: str
    name: str
    help: str


_SECONDS_PER_NANOSECOND = 0.000000001
# Of nst0, st0a and so on only st0 is the drive: the others are ways to open it.
_DRIVE = re.compile(r"st[0-9]+")
_COUNTERS = (
    _Counter(
        "in_flight",
        "io_now",
        "The number of I/Os currently outstanding to this device.",
    ),
    _Counter(
        "io_ns",
        "io_time_seconds_total",
        "The amount of time spent waiting for all I/O to complete (including read and"
        " write). This includes tape movement commands such as seeking between file or"
        " set marks and implicit tape movement such as when rewind on close tape"
        " devices are used.",
    ),
    _Counter(
        "other_cnt",
        "io_others_total",
        "The number of I/Os issued to the tape drive other than read or write commands."
        " The time taken to complete these commands uses the following calculation"
        " io_time_seconds_total-read_time_seconds_total-write_time_seconds_total",
    ),
    _Counter(
        "read_byte_cnt",
        "read_bytes_total",
        "The number of bytes read from the tape drive.",
    ),
    _Counter(
        "read_cnt",
        "reads_completed_total",
        "The number of read requests issued to the tape drive.",
    ),
    _Counter(
        "read_ns",
        "read_time_seconds_total",
        "The amount of time spent waiting for read requests to complete.",
    ),
    _Counter(
        "resid_cnt",
        "residual_total",
        "The number of times during a read or write we found the residual amount to be"
        " non-zero. This should mean that a program is issuing a read larger thean the"
        " block size on tape. For write not all data made it to tape.",
    ),
    _Counter(
        "write_byte_cnt",
        "written_bytes_total",
        "The number of bytes written to the tape drive.",
    ),
    _Counter(
        "write_cnt",
        "writes_completed_total",
        "The number of write requests issued to the tape drive.",
    ),
    _Counter(
        "write_ns",
        "write_time_seconds_total",
        "The amount of time spent waiting for write requests to complete.",
    ),
)


def create(context: Context) -> Collect:
    """Return the collector. Raises RegexError for a bad ignored-devices."""
    root = context.paths.sys("class", "scsi_tape")
    ignored = Regex(context.values[IGNORED_DEVICES])

    def collect() -> Iterator[Metric]:
        attributes, families = Attributes(), Families()
        for device in list_devices(root):
            if _DRIVE.fullmatch(device) and not ignored.search(device):
                add_drive(families, attributes, device, f"{root}/{device}/stats")
        yield from families
        attributes.raise_rejected()

    return collect


def add_drive(
    families: Families, attributes: Attributes, device: str, path: str
) -> None:
    """Add the counters in the directory *path*; one that this kernel lacks is 0."""
    present = attributes.listing(path)
    if present is None:  # gone by now
        return
    for counter in _COUNTERS:
        value: float | None = 0
        if counter.file in present:
            value = attributes.value(f"{path}/{counter.file}", unsigned)
        if value is None:
            continue
        if counter.file.endswith("_ns"):
            value *= _SECONDS_PER_NANOSECOND
        name = f"node_tape_{counter.name}"
        families.named(name, counter.help, value, {"device": device})


COLLECTOR = CollectorSpec("tapestats", create, flags=(IGNORED_DEVICES,))
