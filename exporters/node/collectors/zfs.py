"""Kernel statistics of ZFS (node_exporter collector/zfs_linux.go).

What there is depends on the release of OpenZFS: every number of a kstat becomes a
family that is named after it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from exporters.node import procfs
from exporters.node.apart import Apart, names
from exporters.node.families import Families
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.node.storage import kstat
from exporters.toolkit.metric import Metric


# kstat file -> subsystem in the families' names
_KSTATS = {
    "abdstats": "abd",
    "arcstats": "arc",
    "dbufstats": "dbuf",
    "dmu_tx": "dmu_tx",
    "dnodestats": "dnode",
    "fm": "fm",
    "vdev_cache_stats": "vdev_cache",  # OpenZFS < 2.2
    "vdev_mirror_stats": "vdev_mirror",
    "xuio_stats": "xuio",
    "zfetchstats": "zfetch",
    "zil": "zil",
}
_POOL_STATES = (
    "online",
    "degraded",
    "faulted",
    "offline",
    "removed",
    "unavail",
    "suspended",
)


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/spl/kstat/zfs``."""
    path = context.paths.proc("spl/kstat/zfs")

    def collect() -> Iterator[Metric]:
        present, pools = _look(path)
        apart, families = Apart(), Families()
        for file, subsystem in _KSTATS.items():
            if file in present:
                values = apart.read(_read_named, f"{path}/{file}")
                _add(families, subsystem, file, values or [], {})
        for pool in pools:
            _add_pool(families, apart, f"{path}/{pool}", pool)
        yield from families
        apart.raise_first()

    return collect


def _look(path: str) -> tuple[set[str], list[str]]:
    """Return the files and the folders, which are pools. Raises NoData."""
    try:
        with os.scandir(path) as entries:
            is_pool = {entry.name: entry.is_dir() for entry in entries}
    except OSError as error:
        raise NoData(f"{path}: {error.strerror}: ZFS is probably not loaded") from error
    files = {name for name, is_folder in is_pool.items() if not is_folder}
    return files, sorted(is_pool.keys() - files)


def _read_named(path: str) -> kstat.Values:
    return kstat.parse_named(procfs.read(path))


def _read_objset(path: str) -> kstat.Objset:
    return kstat.parse_objset(procfs.read(path))


def _read_io(path: str) -> kstat.Values:
    return kstat.parse_io(procfs.read(path))


def _read_state(path: str) -> str:
    return kstat.parse_state(procfs.read(path))


def _add_pool(families: Families, apart: Apart, path: str, pool: str) -> None:
    present = names(path)
    if "io" in present:
        values = apart.read(_read_io, f"{path}/io") or []
        _add(families, "zpool", "io", values, {"zpool": pool})
    for file in present:
        if file.startswith("objset-"):
            found = apart.read(_read_objset, f"{path}/{file}")
            if found is not None:
                labels = {"zpool": pool, "dataset": found.dataset}
                _add(families, "zpool_dataset", "objset", found.values, labels)
    if "state" in present:
        state = apart.read(_read_state, f"{path}/state")
        if state is not None:
            _add_state(families, pool, state)


def _add(
    families: Families,
    subsystem: str,
    kstat_name: str,
    values: kstat.Values,
    labels: dict[str, str],
) -> None:
    for key, value in values:
        name = key.rpartition(".")[2].replace("-", "_")
        help_ = f"kstat.zfs.misc.{kstat_name}.{key}"
        families.untyped(f"node_zfs_{subsystem}_{name}", help_, value, labels)


def _add_state(families: Families, pool: str, state: str) -> None:
    for known in _POOL_STATES:
        families.gauge(
            "node_zfs_zpool_state",
            "kstat.zfs.misc.state",
            float(state == known),
            {"zpool": pool, "state": known},
        )


COLLECTOR = CollectorSpec("zfs", create)
