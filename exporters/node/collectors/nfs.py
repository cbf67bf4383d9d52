"""Calls of the kernel's NFS client (node_exporter collector/nfs_linux.go)."""

from __future__ import annotations

from collections.abc import Iterator

from exporters.node import procfs
from exporters.node.families import Families
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.node.storage.nfs_rpc import (
    V2_PROCEDURES,
    V3_PROCEDURES,
    counted,
    exactly,
    parse,
)
from exporters.toolkit.metric import Metric


# fs/nfs/nfs4xdr.c nfs4_procedures; kernels from 4.20 on count more than these.
_V4_NAMES = (
    "Null Read Write Commit Open OpenConfirm OpenNoattr OpenDowngrade Close Setattr"
    " FsInfo Renew SetClientID SetClientIDConfirm Lock Lockt Locku Access Getattr"
    " Lookup LookupRoot Remove Rename Link Symlink Create Pathconf StatFs ReadLink"
    " ReadDir ServerCaps DelegReturn GetACL SetACL FsLocations ReleaseLockowner"
    " Secinfo FsidPresent ExchangeID CreateSession DestroySession Sequence"
    " GetLeaseTime ReclaimComplete GetDeviceInfo LayoutGet LayoutCommit LayoutReturn"
    " SecinfoNoName TestStateID FreeStateID GetDeviceList BindConnToSession"
    " DestroyClientID Seek Allocate DeAllocate LayoutStats Clone"
)
_V4_PROCEDURES = _V4_NAMES.split()
_PROCEDURES = (
    (b"proc2", "2", V2_PROCEDURES),
    (b"proc3", "3", V3_PROCEDURES),
    (b"proc4", "4", _V4_PROCEDURES),
)
_SHAPES = {
    b"net": exactly(4),
    b"rpc": exactly(3),
    b"proc2": counted(len(V2_PROCEDURES), least=len(V2_PROCEDURES)),
    b"proc3": counted(len(V3_PROCEDURES), least=len(V3_PROCEDURES)),
    b"proc4": counted(len(_V4_PROCEDURES), least=0),
}
# Each with its line and its position there.
_COUNTERS = (
    ("connections", b"net", 3, "Total number of NFSd TCP connections."),
    ("rpcs", b"rpc", 0, "Total number of RPCs performed."),
    ("rpc_retransmissions", b"rpc", 1, "Number of RPC transmissions performed."),
    (
        "rpc_authentication_refreshes",
        b"rpc",
        2,
        "Number of RPC authentication refreshes performed.",
    ),
)


def families(data: bytes) -> Families:
    """Return what a ``net/rpc/nfs`` file says. Raises ValueError."""
    lines = parse(data, _SHAPES)
    found = Families()
    for position, protocol in ((1, "udp"), (2, "tcp")):
        found.counter(
            "node_nfs_packets_total",
            "Total NFSd network packets (sent+received) by protocol type.",
            lines[b"net"][position],
            {"protocol": protocol},
        )
    for name, line, position, text in _COUNTERS:
        found.counter(f"node_nfs_{name}_total", text, lines[line][position])
    for line, version, procedures in _PROCEDURES:
        for method, value in zip(procedures, lines[line], strict=True):
            found.counter(
                "node_nfs_requests_total",
                "Number of NFS procedures invoked.",
                value,
                {"proto": version, "method": method},
            )
    return found


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/net/rpc/nfs``."""
    path = context.paths.proc("net/rpc/nfs")

    def collect() -> Iterator[Metric]:
        data = procfs.read_optional(path)
        if data is None:
            raise NoData(f"{path} does not exist: this kernel mounts no NFS")
        yield from families(data)

    return collect


COLLECTOR = CollectorSpec("nfs", create)
