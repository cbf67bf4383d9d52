"""Disk I/O counters and what udev knows of disks (collector/diskstats_linux.go)."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from exporters.node import procfs, sysfs
from exporters.node.device_filter import DeviceFilter, log_pattern, renamed
from exporters.node.paths import Paths
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.node.storage import udev
from exporters.node.storage.diskstats import COLUMNS, Column, Disk, parse
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Values, string
from exporters.toolkit.metric import CounterMetricFamily, GaugeMetricFamily, Metric


log = logging.getLogger(__name__)

DEVICE_EXCLUDE = string(
    "collector.diskstats.device-exclude",
    "Regexp of diskstats devices to exclude (mutually exclusive to device-include).",
    default=r"^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$",
)
OLD_DEVICE_EXCLUDE = string(
    "collector.diskstats.ignored-devices",
    "DEPRECATED: Use collector.diskstats.device-exclude",
    hidden=True,
)
DEVICE_INCLUDE = string(
    "collector.diskstats.device-include",
    "Regexp of diskstats devices to include (mutually exclusive to device-exclude).",
)


class InfoMetric(NamedTuple):
    """A metric that is 1 where the first property exists, with properties as labels."""

    name: str
    help: str
    properties: Mapping[str, str]  # label -> udev property; the first one decides


_UDEV_INFOS = (
    InfoMetric(
        "node_disk_filesystem_info",
        "Info about disk filesystem.",
        {
            "type": "ID_FS_TYPE",
            "usage": "ID_FS_USAGE",
            "uuid": "ID_FS_UUID",
            "version": "ID_FS_VERSION",
        },
    ),
    InfoMetric(
        "node_disk_device_mapper_info",
        "Info about disk device mapper.",
        {
            "name": "DM_NAME",
            "uuid": "DM_UUID",
            "vg_name": "DM_VG_NAME",
            "lv_name": "DM_LV_NAME",
            "lv_layer": "DM_LV_LAYER",
        },
    ),
)
_ATA_METRICS = {
    "ID_ATA_WRITE_CACHE": ("ata_write_cache", "ATA disk has a write cache."),
    "ID_ATA_WRITE_CACHE_ENABLED": (
        "ata_write_cache_enabled",
        "ATA disk has its write cache enabled.",
    ),
    "ID_ATA_ROTATION_RATE_RPM": (
        "ata_rotation_rate_rpm",
        "ATA disk rotation rate in RPMs (0 for SSDs).",
    ),
}
# What is printed on the disk, else what udev made up; virtio has only the last.
_SERIALS = ("SCSI_IDENT_SERIAL", "ID_SERIAL_SHORT", "ID_SERIAL")
_INFO_LABELS = (
    "device",
    "major",
    "minor",
    "path",
    "wwn",
    "model",
    "serial",
    "revision",
    "rotational",
)


def create(context: Context) -> Collect:
    """Return the collector. Raises StartError for contradicting filters."""
    paths = context.paths
    devices = device_filter(context.values)
    statistics = context.proc("diskstats")
    has_udev = os.path.isdir(paths.udev_data)
    if not has_udev:
        # Not an error as upstream has it: every container is so (node_exporter#2579).
        log.warning(
            "Failed to open directory, disabling udev device properties",
            extra={"fields": {"path": paths.udev_data}},
        )

    def collect() -> Iterator[Metric]:
        disks = [
            disk for disk in parse(statistics.read()) if not devices.ignored(disk.name)
        ]
        known = [_properties(paths, disk) if has_udev else {} for disk in disks]
        found = (
            info_family(paths, disks, known),
            *counter_families(disks),
            *udev_families(disks, known),
        )
        yield from (family for family in found if family)

    return collect


def device_filter(values: Values) -> DeviceFilter:
    """Return the filter of the flags, old name included. Raises StartError."""
    problem = "failed to parse device filter flags"
    is_set = values.given(DEVICE_EXCLUDE)
    try:
        exclude = renamed(values, DEVICE_EXCLUDE, OLD_DEVICE_EXCLUDE, taken=is_set)
    except StartError as error:
        raise StartError(f"{problem}: {error}") from None
    include = values[DEVICE_INCLUDE]
    if include:
        if is_set and exclude:
            raise StartError(
                f"{problem}: device-exclude & device-include are mutually exclusive"
            )
        exclude = ""
    log_pattern(DEVICE_EXCLUDE, exclude)
    log_pattern(DEVICE_INCLUDE, include)
    return DeviceFilter.compile(exclude, include)


def _properties(paths: Paths, disk: Disk) -> udev.Properties:
    try:
        return udev.read_block_device(paths, disk.major, disk.minor)
    except OSError as error:
        fields = {"device": disk.name, "err": error}
        log.debug("Failed to parse udev info", extra={"fields": fields})
        return {}


def info_family(
    paths: Paths, disks: Iterable[Disk], known: Iterable[udev.Properties]
) -> Metric:
    """Return who made each disk and where it is plugged in."""
    family = GaugeMetricFamily(
        "node_disk_info", "Info of /sys/block/<block_device>.", labels=_INFO_LABELS
    )
    for disk, has in zip(disks, known, strict=True):
        serials = (has[name] for name in _SERIALS if has.get(name))
        labels = (
            disk.name,
            str(disk.major),
            str(disk.minor),
            has.get("ID_PATH", ""),
            has.get("ID_WWN", ""),
            has.get("ID_MODEL", ""),
            next(serials, ""),
            has.get("ID_REVISION", ""),
            rotational(paths, disk.name),
        )
        family.add_metric(labels, 1)
    return family


def rotational(paths: Paths, name: str) -> str:
    """Return "1" for a disk that turns, "0" for one that does not or will not say."""
    try:
        path = paths.sys("block", name, "queue", "rotational")
        return "1" if sysfs.read_unsigned(path) == 1 else "0"
    except (OSError, ValueError):
        return "0"


def counter_families(disks: Iterable[Disk]) -> list[Metric]:
    """Return a family for each column; a disk has those that its kernel wrote."""
    families = [_counter_family(column) for column in COLUMNS]
    for disk in disks:
        known = zip(families, COLUMNS, disk.values, strict=False)
        for family, column, value in known:
            family.add_metric((disk.name,), value * column.factor)
    return list(families)


def _counter_family(column: Column) -> CounterMetricFamily | GaugeMetricFamily:
    is_counter = column.name.endswith("_total")
    kind = CounterMetricFamily if is_counter else GaugeMetricFamily
    return kind(f"node_disk_{column.name}", column.help, labels=("device",))


def udev_families(
    disks: Iterable[Disk], known: Iterable[udev.Properties]
) -> list[Metric]:
    """Return what udev knows of file systems, device mapper and ATA."""
    pairs = [(disk.name, has) for disk, has in zip(disks, known, strict=True)]
    infos = [_udev_info(metric, pairs) for metric in _UDEV_INFOS]
    ata = [(name, has) for name, has in pairs if has.get("ID_ATA")]
    return [*infos, *(_ata_family(attribute, ata) for attribute in _ATA_METRICS)]


def _udev_info(
    metric: InfoMetric, pairs: Iterable[tuple[str, udev.Properties]]
) -> Metric:
    labels = ("device", *metric.properties)
    family = GaugeMetricFamily(metric.name, metric.help, labels=labels)
    for device, has in pairs:
        values = [has.get(name, "") for name in metric.properties.values()]
        if values[0]:
            family.add_metric((device, *values), 1)
    return family


def _ata_family(attribute: str, pairs: Iterable[tuple[str, udev.Properties]]) -> Metric:
    name, help_text = _ATA_METRICS[attribute]
    family = GaugeMetricFamily(f"node_disk_{name}", help_text, labels=("device",))
    for device, has in pairs:
        if attribute not in has:
            continue
        try:
            family.add_metric((device,), procfs.parse_number(has[attribute].encode()))
        except ValueError as error:
            fields = {"device": device, "attribute": attribute, "err": error}
            log.error(  # noqa: TRY400 - upstream's line; a traceback says nothing more
                "Failed to parse ATA value", extra={"fields": fields}
            )
    return family


COLLECTOR = CollectorSpec(
    "diskstats",
    create,
    flags=(DEVICE_EXCLUDE, OLD_DEVICE_EXCLUDE, DEVICE_INCLUDE),
)
