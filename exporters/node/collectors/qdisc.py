"""Queueing disciplines of network devices (node_exporter collector/qdisc_linux.go)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from exporters.node import procfs
from exporters.node.device_filter import DeviceFilter, renamed
from exporters.node.families import Families
from exporters.node.network import network_devices
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Values, string
from exporters.toolkit.metric import Metric


if TYPE_CHECKING:
    from exporters.node.network.qdiscs import Qdisc

FIXTURES = string(
    "collector.qdisc.fixtures",
    "test fixtures to use for qdisc collector end-to-end testing",
    placeholder='""',  # upstream has a default here, the empty one
)
DEVICE_INCLUDE = string(
    "collector.qdisc.device-include",
    "Regexp of qdisc devices to include (mutually exclusive to device-exclude).",
)
OLD_DEVICE_INCLUDE = string(
    "collector.qdisk.device-include",
    "DEPRECATED: Use collector.qdisc.device-include",
    hidden=True,
)
DEVICE_EXCLUDE = string(
    "collector.qdisc.device-exclude",
    "Regexp of qdisc devices to exclude (mutually exclusive to device-include).",
)
OLD_DEVICE_EXCLUDE = string(
    "collector.qdisk.device-exclude",
    "DEPRECATED: Use collector.qdisc.device-exclude",
    hidden=True,
)

# name, field of qdiscs.Counts, HELP
_METRICS = (
    ("bytes_total", "bytes", "Number of bytes sent."),
    ("packets_total", "packets", "Number of packets sent."),
    ("drops_total", "drops", "Number of packets dropped."),
    (
        "requeues_total",
        "requeues",
        "Number of packets dequeued, not transmitted, and requeued.",
    ),
    ("overlimits_total", "overlimits", "Number of overlimit packets."),
    (
        "current_queue_length",
        "queue_length",
        "Number of packets currently in queue to be sent.",
    ),
    ("backlog", "backlog", "Number of bytes currently in queue to be sent."),
)


def create(context: Context) -> Collect:
    """Return the collector. Raises StartError for contradicting filters."""
    from exporters.node.network import qdiscs  # noqa: PLC0415 - few want it

    devices = device_filter(context.values)
    fixtures = context.values[FIXTURES]

    def collect() -> Iterable[Metric]:
        found = read_fixtures(fixtures) if fixtures else qdiscs.read_roots()
        return families(q for q in found if not devices.ignored(q.device))

    return collect


def device_filter(values: Values) -> DeviceFilter:
    """Return the filter of the flags, old names included. Raises StartError."""
    include = renamed(values, DEVICE_INCLUDE, OLD_DEVICE_INCLUDE)
    exclude = renamed(values, DEVICE_EXCLUDE, OLD_DEVICE_EXCLUDE)
    if include and exclude:
        raise StartError(
            "collector.qdisc.device-include and collector.qdisc.device-exclude"
            " are mutaly exclusive"
        )
    return network_devices.device_filter(values, exclude, include)


def read_fixtures(folder: str) -> Iterator[Qdisc]:
    """Yield what ``results.json`` in *folder* holds. Raises OSError and ValueError."""
    path = f"{folder}/results.json"
    return parse_fixture(procfs.read(path), path)


def parse_fixture(data: bytes, path: str) -> Iterator[Qdisc]:
    """Yield the root disciplines in a fixture of upstream's. Raises ValueError."""
    from exporters.node.network import json_fixture, qdiscs  # noqa: PLC0415 - for tests

    for record in json_fixture.parse_records(data, path):
        counts = qdiscs.Counts(
            bytes=record.unsigned("bytes", 64),
            packets=record.unsigned("packets"),
            drops=record.unsigned("drops"),
            requeues=record.unsigned("requeues"),
            overlimits=record.unsigned("overlimits"),
            queue_length=record.unsigned("qlen"),
            backlog=record.unsigned("backlog"),
        )
        if record.unsigned("parent") == 0:
            yield qdiscs.Qdisc(record.text("ifacename"), record.text("kind"), counts)


def families(found: Iterable[Qdisc]) -> Iterable[Metric]:
    """Return the families of the disciplines *found*."""
    result = Families()
    for device, kind, counts in found:
        labels = {"device": device, "kind": kind}
        for name, field, text in _METRICS:
            value = getattr(counts, field)
            result.named(f"node_qdisc_{name}", text, value, labels)
    return result


COLLECTOR = CollectorSpec(
    "qdisc",
    create,
    default_enabled=False,
    flags=(
        FIXTURES,
        DEVICE_INCLUDE,
        OLD_DEVICE_INCLUDE,
        DEVICE_EXCLUDE,
        OLD_DEVICE_EXCLUDE,
        *network_devices.FLAGS,
    ),
)
