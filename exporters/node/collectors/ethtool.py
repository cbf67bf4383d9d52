"""What network drivers tell (node_exporter collector/ethtool_linux.go)."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from exporters.node import deadline
from exporters.node.device_filter import log_pattern
from exporters.node.errno_text import error_text
from exporters.node.families import Families
from exporters.node.network import network_devices
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.toolkit.flags import string
from exporters.toolkit.metric import Metric
from exporters.toolkit.regex import Regex


if TYPE_CHECKING:
    from exporters.node.network.ethtool import Driver, Ethtool

log = logging.getLogger(__name__)

DEVICE_INCLUDE = string(
    "collector.ethtool.device-include",
    "Regexp of ethtool devices to include (mutually exclusive to device-exclude).",
)
DEVICE_EXCLUDE = string(
    "collector.ethtool.device-exclude",
    "Regexp of ethtool devices to exclude (mutually exclusive to device-include).",
)
METRICS_INCLUDE = string(
    "collector.ethtool.metrics-include",
    "Regexp of ethtool stats to include.",
    default=".*",
)

_NOT_OURS = frozenset({errno.ENOENT, errno.EACCES, errno.EPERM})
# Not a word about these: most virtual devices cannot tell, others are gone by now.
_EXPECTED = frozenset({errno.EOPNOTSUPP, errno.ENODEV})

Part = Callable[[Families, "Ethtool", str], None]
"""Adds one part of what a device tells. Raises OSError."""


def create(context: Context) -> Collect:
    """Return the collector; both filters apply when both are given, as upstream.

    Raises RegexError.
    """
    from exporters.node.network import ethtool  # noqa: PLC0415 - few want it

    values = context.values
    for flag in (DEVICE_INCLUDE, DEVICE_EXCLUDE, METRICS_INCLUDE):
        log_pattern(flag, values[flag])
    devices = network_devices.device_filter(
        values, values[DEVICE_EXCLUDE], values[DEVICE_INCLUDE]
    )
    parts = (_add_settings, _add_driver, _statistics(Regex(values[METRICS_INCLUDE])))
    path = context.paths.sys("class", "net")

    def collect() -> Iterable[Metric]:
        names = [name for name in list_devices(path) if not devices.ignored(name)]
        with ethtool.Ethtool.open() as kernel:
            return families(kernel, names, parts)

    return collect


def list_devices(path: str) -> list[str]:
    """Return the devices below *path*, at least one.

    Raises NoData where nobody may look there, any other OSError, and ValueError.
    """
    try:
        names = list(network_devices.list_devices(path))
    except OSError as error:
        if error.errno in _NOT_OURS:
            raise NoData(f"could not read {path}: {error.strerror}") from error
        raise
    if not names:
        raise ValueError(f"{path}: no network devices found")
    return names


def families(
    kernel: Ethtool, names: Iterable[str], parts: Iterable[Part]
) -> Iterable[Metric]:
    """Return what *parts* tell of the devices *names*.

    A part that a device does not tell is left out. Raises TimeoutError when nobody
    waits any more.
    """
    found = Families()
    for device in names:
        for part in parts:
            if deadline.seconds_left() <= 0:
                raise TimeoutError(
                    errno.ETIMEDOUT, f"ethtool: no time left at {device}"
                )
            with _leaving_out(device):
                part(found, kernel, device)
    return found


@contextmanager
def _leaving_out(device: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        level = logging.DEBUG if error.errno in _EXPECTED else logging.ERROR
        fields = {"err": error_text(error), "device": device, "errno": error.errno}
        log.log(level, "ethtool error", extra={"fields": fields})


def _add_settings(found: Families, kernel: Ethtool, device: str) -> None:
    from exporters.node.network import ethtool_modes  # noqa: PLC0415 - few want it

    ethtool_modes.add_settings(found, device, kernel.settings(device))


def _add_driver(found: Families, kernel: Ethtool, device: str) -> None:
    found.gauge(
        "node_ethtool_info",
        (
            "A metric with a constant '1' value labeled by bus_info, device, driver,"
            " expansion_rom_version, firmware_version, version."
        ),
        1,
        _driver_labels(device, kernel.driver(device)),
    )


def _driver_labels(device: str, driver: Driver) -> dict[str, str]:
    return {
        "bus_info": driver.bus,
        "device": device,
        "driver": driver.driver,
        "expansion_rom_version": driver.rom,
        "firmware_version": driver.firmware,
        "version": driver.version,
    }


def _statistics(wanted: Regex) -> Part:
    from exporters.node.network import ethtool_names  # noqa: PLC0415 - few want it

    def add(found: Families, kernel: Ethtool, device: str) -> None:
        statistics = kernel.statistics(device)
        for name, text, value in ethtool_names.named(statistics, wanted, device):
            found.untyped(name, text, value, {"device": device})

    return add


COLLECTOR = CollectorSpec(
    "ethtool",
    create,
    default_enabled=False,
    flags=(DEVICE_INCLUDE, DEVICE_EXCLUDE, METRICS_INCLUDE, *network_devices.FLAGS),
)
