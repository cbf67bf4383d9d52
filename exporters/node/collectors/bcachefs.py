"""File systems of bcachefs (node_exporter collector/bcachefs_linux.go)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from exporters.node import procfs
from exporters.node.apart import Apart
from exporters.node.families import Families, name_part
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.node.storage import bcachefs
from exporters.toolkit.metric import Metric


T = TypeVar("T")
Labels = Mapping[str, str]

_HELP = {
    "info": "Filesystem information.",
    "btree_cache_size_bytes": "Btree cache memory usage in bytes.",
    "compression_compressed_bytes": "Compressed size by algorithm.",
    "compression_uncompressed_bytes": "Uncompressed size by algorithm.",
    "errors_total": "Error count by error type.",
    "btree_writes_total": "Number of btree writes by type.",
    "btree_write_average_size_bytes": "Average btree write size by type.",
    "device_info": "Device information.",
    "device_bucket_size_bytes": "Bucket size in bytes.",
    "device_buckets": "Total number of buckets.",
    "device_durability": "Device durability setting.",
    "device_io_done_bytes_total": "IO bytes by operation type and data type.",
    "device_io_errors_total": "IO errors by error type.",
}
_COUNTER_HELP = "Bcachefs counter %s since filesystem creation."


def create(context: Context) -> Collect:
    """Return the collector of ``/sys/fs/bcachefs``."""
    path = context.paths.sys("fs", "bcachefs")

    def collect() -> Iterator[Metric]:
        uuids = _list_file_systems(path)
        if not uuids:
            raise NoData(f"{path} has no file systems")
        apart, families = Apart(), Families()
        for uuid in uuids:
            _add_file_system(families, apart, f"{path}/{uuid}", {"uuid": uuid})
        yield from families
        apart.raise_first()

    return collect


def _list_file_systems(path: str) -> list[str]:
    """Return the names of the folders in *path*. Raises OSError and NoData."""
    try:
        return _folders(path)
    except FileNotFoundError as error:
        raise NoData(f"{path} does not exist: bcachefs is not loaded") from error


def _folders(path: str) -> list[str]:
    with os.scandir(path) as entries:
        return sorted(e.name for e in entries if e.is_dir(follow_symlinks=False))


def _files(path: str) -> list[str]:
    with os.scandir(path) as entries:
        return sorted(e.name for e in entries if not e.is_dir(follow_symlinks=False))


def _add_file_system(
    families: Families, apart: Apart, path: str, labels: Labels
) -> None:
    _add(families, "info", 1, labels)
    cache_size = apart.read(bcachefs.read_size, f"{path}/btree_cache_size")
    if cache_size is not None:
        _add(families, "btree_cache_size_bytes", cache_size, labels)
    errors = _read(apart, bcachefs.parse_errors, f"{path}/errors")
    for error, count in (errors or {}).items():
        _add(families, "errors_total", count, {**labels, "error_type": error})
    _add_sizes(families, apart, path, labels)
    _add_counters(families, apart, f"{path}/counters", labels)
    _add_devices(families, apart, path, labels)


def _add_sizes(families: Families, apart: Apart, path: str, labels: Labels) -> None:
    held = _read(apart, bcachefs.parse_compression, f"{path}/compression_stats")
    for algorithm, sizes in (held or {}).items():
        own = {**labels, "algorithm": algorithm}
        _add(families, "compression_compressed_bytes", sizes.compressed, own)
        _add(families, "compression_uncompressed_bytes", sizes.uncompressed, own)
    written = _read(apart, bcachefs.parse_btree_writes, f"{path}/btree_write_stats")
    for reason, done in (written or {}).items():
        own = {**labels, "type": reason}
        _add(families, "btree_writes_total", done.writes, own)
        _add(families, "btree_write_average_size_bytes", done.size_bytes, own)


def _add_counters(families: Families, apart: Apart, path: str, labels: Labels) -> None:
    for name in apart.read(_files, path) or []:
        value = _read(apart, bcachefs.parse_counter, f"{path}/{name}")
        if value is not None:
            shown = name_part(name)
            families.counter(
                f"node_bcachefs_{shown}_total", _COUNTER_HELP % name, value, labels
            )


def _add_devices(families: Families, apart: Apart, path: str, labels: Labels) -> None:
    for name in apart.read(_folders, path) or []:
        if name.startswith("dev-"):
            device = apart.read(bcachefs.read_device, f"{path}/{name}")
            if device is not None:
                own = {**labels, "device": name.removeprefix("dev-")}
                _add_device(families, device, own)


def _add_device(families: Families, device: bcachefs.Device, labels: Labels) -> None:
    about = {**labels, "label": device.label, "state": device.state}
    _add(families, "device_info", 1, about)
    _add(families, "device_bucket_size_bytes", device.bucket_size_bytes, labels)
    _add(families, "device_buckets", device.buckets, labels)
    _add(families, "device_durability", device.durability, labels)
    for (operation, kind), done in device.done_bytes.items():
        own = {**labels, "operation": operation, "data_type": kind}
        _add(families, "device_io_done_bytes_total", done, own)
    for error, count in device.errors.items():
        _add(families, "device_io_errors_total", count, {**labels, "type": error})


def _read(apart: Apart, parse: Callable[[bytes], T], path: str) -> T | None:
    """Return what *parse* makes of the file at *path*, None for none or a bad one."""
    return apart.read(lambda where: parse(procfs.read(where)), path)


def _add(families: Families, name: str, value: float, labels: Labels) -> None:
    families.named(f"node_bcachefs_{name}", _HELP[name], value, labels)


COLLECTOR = CollectorSpec("bcachefs", create)
