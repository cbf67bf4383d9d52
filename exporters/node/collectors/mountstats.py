"""NFS mounts: calls, bytes, events, connections (collector/mountstats_linux.go).

A server's export that is mounted more than once counts once for each protocol and
address: the kernel shares the connections and repeats the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, repeat

from exporters.node import procfs
from exporters.node.families import Families
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.node.storage import mountinfo
from exporters.node.storage.mountstats import Mount, blocks, parse
from exporters.node.storage.mountstats_names import (
    BYTES,
    EVENTS,
    OPERATIONS,
    TRANSPORT,
    Name,
)
from exporters.toolkit.metric import Metric


_ADDRESS = "addr="
# Times are cut where float64 stops to count in ones.
_MANTISSA = 2**53
_IDLE = 4  # seconds, among the numbers of a transport
_MILLISECONDS = frozenset({5, 6, 7})  # among the numbers of an operation


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/self/mountstats``."""
    path = context.paths.proc("self/mountstats")
    mountinfo_path = context.paths.proc("self/mountinfo")

    def collect() -> Iterator[Metric]:
        data = procfs.read(path)
        addresses = _addresses(mountinfo.parse(procfs.read(mountinfo_path)))
        found = _Found()
        failure: ValueError | None = None
        # Both files list the mounts in the same order.
        padded = chain(addresses, repeat(""))
        for block, address in zip(blocks(data), padded, strict=False):
            try:
                found.add(parse(block), address)
            except ValueError as error:  # costs one mount only
                failure = failure or ValueError(f"{path}: {error}")
        yield from found.families
        if failure is not None:
            raise failure

    return collect


def _addresses(mounts: Sequence[mountinfo.Mount]) -> list[str]:
    """Return the server's address of each mount, "" where it has none."""
    found: list[str] = []
    for mount in mounts:
        options = [o for o in mount.super_options if o.startswith(_ADDRESS)]
        address = options[0].removeprefix(_ADDRESS) if options else ""
        found.append(mountinfo.label(address))
    return found


class _Found:
    """The families, and which exports and mount points they hold already."""

    def __init__(self) -> None:
        self.families = Families()
        self._exports: set[tuple[str, str, str]] = set()
        self._mount_points: set[tuple[str, str, str, str]] = set()

    def add(self, mount: Mount, address: str) -> None:
        """Add what *mount* counts, unless another mount of the export did."""
        for transport in mount.transports:
            export = (mount.device, transport.protocol, address)
            labels = dict(zip(("export", "protocol", "mountaddr"), export, strict=True))
            self._add_mount_point((*export, mount.mount_point), labels)
            if export in self._exports:
                return
            self._exports.add(export)
            self._add_statistics(mount, labels)

    def _add_mount_point(
        self, key: tuple[str, str, str, str], labels: Mapping[str, str]
    ) -> None:
        if key in self._mount_points:
            return
        self._mount_points.add(key)
        self.families.gauge(
            "node_mountstats_nfs_mountpoint_info",
            "Info metric for an NFS mountpoint.",
            1,
            {**labels, "mountpoint": key[3]},
        )

    def _add_statistics(self, mount: Mount, labels: Mapping[str, str]) -> None:
        age = Name(0, "age_seconds_total", "The age of the NFS mount in seconds.")
        self._add(age, mount.age_seconds, labels)
        for name in BYTES:
            self._add(name, mount.bytes[name.position], labels)
        for name in EVENTS:
            self._add(name, mount.events[name.position], labels)
        for index, transport in enumerate(mount.transports):
            for name in TRANSPORT:
                number = transport.numbers[name.position]
                if name.position == _IDLE:
                    number %= _MANTISSA
                self._add(name, number, {**labels, "transport": str(index)})
        for operation in mount.operations:
            for name in OPERATIONS:
                value: float = operation.numbers[name.position]
                if name.position in _MILLISECONDS:
                    value = value % _MANTISSA / 1000
                self._add(name, value, {**labels, "operation": operation.name})

    def _add(self, name: Name, value: float, labels: Mapping[str, str]) -> None:
        metric = f"node_mountstats_nfs_{name.metric}"
        self.families.named(metric, name.help, value, labels)


COLLECTOR = CollectorSpec("mountstats", create, default_enabled=False)
