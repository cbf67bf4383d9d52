"""Energy used, by RAPL zone (node_exporter collector/rapl_linux.go).

The kernel's side is Documentation/power/powercap/powercap.rst: counters in
microjoules, which only root may read since Linux 5.10.
"""

from __future__ import annotations

import contextlib
import os.path
from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import sysfs
from exporters.node.attributes import Attributes, list_devices
from exporters.node.families import Families, name_part
from exporters.node.integers import decimal, signed_decimal
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.toolkit.flags import boolean
from exporters.toolkit.metric import Metric


ENABLE_ZONE_LABEL = boolean(
    "collector.rapl.enable-zone-label",
    "Enables service unit metric unit_start_time_seconds",  # upstream's slip
)


class Zone(NamedTuple):
    """A zone: package, core, dram, ... with a number among those of its name."""

    name: str
    number: int
    path: str


_MICROJOULES_PER_JOULE = 1000000.0


def create(context: Context) -> Collect:
    """Return the collector of ``/sys/class/powercap``."""
    root = os.path.normpath(context.paths.sys("class", "powercap"))
    has_zone_label = context.values[ENABLE_ZONE_LABEL]

    def collect() -> Iterator[Metric]:
        attributes, families = Attributes(), Families()
        denied = False
        for zone in read_zones(root, attributes):
            try:
                energy = read_energy(zone, attributes)
            except PermissionError:
                denied = True
                continue
            if energy is not None:
                add_zone(families, zone, energy, has_zone_label=has_zone_label)
        yield from families
        attributes.raise_rejected()
        if denied:
            raise NoData(f"no permission to read energy_uj below {root}")

    return collect


def read_zones(root: str, attributes: Attributes) -> Iterator[Zone]:
    """Yield the zones below *root*; what has no name is a control type.

    Raises OSError, and NoData where there is none or they may not be listed.
    """
    used: dict[str, int] = {}
    for entry in list_devices(root, denied_is_nodata=True):
        text = attributes.text(f"{root}/{entry}/name")
        if text is not None:
            name, number = split_name(text, used)
            used[name] = number + 1
            yield Zone(name, number, f"{root}/{entry}")


def split_name(text: str, used: dict[str, int]) -> tuple[str, int]:
    """Return the name and the number of a zone.

    ``package-0`` says it itself; one of several ``core`` gets the next of *used*.
    """
    parts = text.split("-")
    if len(parts) == 2:
        with contextlib.suppress(ValueError):
            return parts[0], signed_decimal(parts[1])
    return text, used.get(text, 0)


def read_energy(zone: Zone, attributes: Attributes) -> int | None:
    """Return the microjoules that *zone* has used, None if the kernel does not say.

    Raises PermissionError.
    """
    path = f"{zone.path}/energy_uj"
    try:
        return decimal(sysfs.read(path))
    except PermissionError:
        raise
    except OSError:
        return None
    except ValueError as error:
        attributes.reject(f"{path}: {error}")
        return None


def add_zone(
    families: Families, zone: Zone, energy: int, *, has_zone_label: bool
) -> None:
    """Add the *energy* in microjoules that *zone* has used."""
    joules = energy / _MICROJOULES_PER_JOULE
    labels = {"index": str(zone.number), "path": zone.path}
    if has_zone_label:
        families.counter(
            "node_rapl_joules_total",
            "Current RAPL value in joules",
            joules,
            {**labels, "rapl_zone": zone.name},
        )
        return
    name = name_part(zone.name)
    families.counter(
        f"node_rapl_{name}_joules_total",
        f"Current RAPL {zone.name} value in joules",
        joules,
        labels,
    )


COLLECTOR = CollectorSpec("rapl", create, flags=(ENABLE_ZONE_LABEL,))
