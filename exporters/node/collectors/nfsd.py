"""Work of the kernel's NFS server (node_exporter collector/nfsd_linux.go)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs
from exporters.node.families import Families
from exporters.node.registry import Collect, CollectorSpec, Context, NoData
from exporters.node.storage.nfs_rpc import (
    V2_PROCEDURES,
    V3_PROCEDURES,
    Shape,
    counted,
    exactly,
    parse,
)
from exporters.toolkit.metric import Metric


# The operations of NFSv4.0 by their numbers (RFC 7530); later ones are not exported.
_V4_NAMES = (
    "- - - Access Close Commit Create DelegPurge DelegReturn GetAttr GetFH Link Lock"
    " Lockt Locku Lookup LookupRoot Nverify Open OpenAttr OpenConfirm OpenDgrd PutFH"
    " PutPubFH PutRootFH Read ReadDir ReadLink Remove Rename Renew RestoreFH SaveFH"
    " SecInfo SetAttr SetClientID SetClientIDConfirm Verify Write RelLockOwner"
)
_V4_OPERATIONS = _V4_NAMES.split()
_REQUESTS = (
    (b"proc2", "2", V2_PROCEDURES),
    (b"proc3", "3", V3_PROCEDURES),
    (b"proc4ops", "4", _V4_OPERATIONS),
    (b"wdeleg_getattr", "4", ["WdelegGetattr"]),
)
# Not procedures, or those that upstream does not show for the server.
_HIDDEN = frozenset({"-", "Null", "PutPubFH", "PutRootFH"})
_SHAPES = {
    b"rc": exactly(3),
    b"fh": exactly(5),
    b"io": exactly(2),
    b"th": Shape(size=2, least=2),  # a histogram follows that is no more kept
    b"ra": exactly(12),
    b"net": exactly(4),
    b"rpc": exactly(5),
    b"proc2": counted(len(V2_PROCEDURES), least=len(V2_PROCEDURES)),
    b"proc3": counted(len(V3_PROCEDURES), least=len(V3_PROCEDURES)),
    b"proc4": counted(2, least=2, most=2),
    # Linux before 2.6 had one fewer.
    b"proc4ops": counted(len(_V4_OPERATIONS), least=len(_V4_OPERATIONS) - 1),
    b"wdeleg_getattr": Shape(size=1, least=1),
}


class _Number(NamedTuple):
    """Where a number is (line, position) and how it is exported."""

    name: str
    line: bytes
    position: int
    help: str
    labels: dict[str, str] = {}  # noqa: RUF012 - of a NamedTuple, nobody writes it


_PACKETS = "Total NFSd network packets (sent+received) by protocol type."
_ERRORS = "Total number of NFSd RPC errors by error type."
_NUMBERS = (
    _Number(
        "reply_cache_hits_total",
        b"rc",
        0,
        "Total number of NFSd Reply Cache hits (client lost server response).",
    ),
    _Number(
        "reply_cache_misses_total",
        b"rc",
        1,
        "Total number of NFSd Reply Cache an operation that requires caching"
        " (idempotent).",
    ),
    _Number(
        "reply_cache_nocache_total",
        b"rc",
        2,
        "Total number of NFSd Reply Cache non-idempotent operations (rename/delete/…).",
    ),
    _Number(
        "file_handles_stale_total", b"fh", 0, "Total number of NFSd stale file handles"
    ),
    _Number("disk_bytes_read_total", b"io", 0, "Total NFSd bytes read."),
    _Number("disk_bytes_written_total", b"io", 1, "Total NFSd bytes written."),
    _Number(
        "server_threads",
        b"th",
        0,
        "Total number of NFSd kernel threads that are running.",
    ),
    _Number(
        "read_ahead_cache_size_blocks",
        b"ra",
        0,
        "How large the read ahead cache is in blocks.",
    ),
    _Number(
        "read_ahead_cache_not_found_total",
        b"ra",
        11,
        "Total number of NFSd read ahead cache not found.",
    ),
    _Number("packets_total", b"net", 1, _PACKETS, {"proto": "udp"}),
    _Number("packets_total", b"net", 2, _PACKETS, {"proto": "tcp"}),
    _Number("connections_total", b"net", 3, "Total number of NFSd TCP connections."),
    _Number("rpc_errors_total", b"rpc", 2, _ERRORS, {"error": "fmt"}),
    _Number("rpc_errors_total", b"rpc", 3, _ERRORS, {"error": "auth"}),
    _Number("rpc_errors_total", b"rpc", 4, _ERRORS, {"error": "cInt"}),
    _Number("server_rpcs_total", b"rpc", 0, "Total number of NFSd RPCs."),
)


def families(data: bytes) -> Families:
    """Return what a ``net/rpc/nfsd`` file says. Raises ValueError."""
    lines = parse(data, _SHAPES)
    found = Families()
    for name, line, position, text, labels in _NUMBERS:
        found.named(f"node_nfsd_{name}", text, lines[line][position], labels)
    for line, version, methods in _REQUESTS:
        for method, value in zip(methods, lines[line], strict=True):
            if method not in _HIDDEN:
                found.counter(
                    "node_nfsd_requests_total",
                    "Total number NFSd Requests by method and protocol.",
                    value,
                    {"proto": version, "method": method},
                )
    return found


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/net/rpc/nfsd``."""
    path = context.paths.proc("net/rpc/nfsd")

    def collect() -> Iterator[Metric]:
        data = procfs.read_optional(path)
        if data is None:
            raise NoData(f"{path} does not exist: this kernel serves no NFS")
        yield from families(data)

    return collect


COLLECTOR = CollectorSpec("nfsd", create)
