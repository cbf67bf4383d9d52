"""Names and serial numbers of the hardware (node_exporter collector/dmi.go).

The kernel's side is drivers/firmware/dmi-id.c; it lets only root read the serials.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from exporters.node import device_files
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.toolkit.metric import GaugeMetricFamily, Metric


log = logging.getLogger(__name__)

_FILES = (
    "bios_date",
    "bios_release",
    "bios_vendor",
    "bios_version",
    "board_asset_tag",
    "board_name",
    "board_serial",
    "board_vendor",
    "board_version",
    "chassis_asset_tag",
    "chassis_serial",
    "chassis_vendor",
    "chassis_version",
    "product_family",
    "product_name",
    "product_serial",
    "product_sku",
    "product_uuid",
    "product_version",
    "sys_vendor",
)
_LABELS = {"sys_vendor": "system_vendor"}  # the others are called as their files
_HELP = (
    "A metric with a constant '1' value labeled by "
    + ", ".join(_LABELS.get(file, file) for file in _FILES)
    + " if provided by DMI."
)


def create(context: Context) -> Collect:
    """Return the collector; DMI is read here, for it stays the same until a reboot.

    What cannot be read has no label. Upstream does not start where it fails otherwise
    than for want of permission.
    """
    path = context.paths.sys("class", "dmi", "id")
    labels = read(path)

    def collect() -> Iterator[Metric]:
        if not labels:
            raise NoData(f"{path}: this platform does not provide DMI")
        family = GaugeMetricFamily("node_dmi_info", _HELP, labels=tuple(labels))
        family.add_metric(tuple(labels.values()), 1)
        yield family

    return collect


def read(path: str) -> dict[str, str]:
    """Return the labels that the directory *path* gives, none where there is none."""
    try:
        given = device_files.read_given(path, _FILES)
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            log.warning("Cannot read DMI", extra={"fields": {"err": error}})
        return {}
    return {_LABELS.get(file, file): text for file, text in given.items()}


COLLECTOR = CollectorSpec("dmi", create)
