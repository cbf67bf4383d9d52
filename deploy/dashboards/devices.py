"""The parts of a host: its disks, its network, and the tables of its kernel."""

from __future__ import annotations

from deploy.dashboards import links
from deploy.dashboards.dress import COUNT, Scale
from deploy.dashboards.panels import bars, graph
from deploy.dashboards.queries import Metrics
from deploy.dashboards.thresholds import ZERO_IS_GOOD, above, below


NODE = Metrics('job=~"$job",instance=~"$instance"')
# What can fill up: images that are mounted read-only are full for ever, and a tmpfs has
# its size from memory.
REAL = 'fstype!~"tmpfs|ramfs|devtmpfs|squashfs|iso9660|erofs"'
DISKS = Metrics(f"{NODE.where},{REAL}")
WRITABLE = "unless on (instance, device, mountpoint) node_filesystem_readonly{@} == 1"
NICS = Metrics(
    NODE.where + ',device!~"lo|veth.*|docker.*|br-.*|cali.*|flannel.*|cni.*"'
)
LOGS = links.logs()
RATE = "[$__rate_interval]"
FULL = Scale("percentunit", above(0.8, 0.9), highest=1)
FILLED = (
    "(1 - node_filesystem_avail_bytes{@} / node_filesystem_size_bytes{@}) " + WRITABLE
)
INODES = (
    "(1 - node_filesystem_files_free{@} / (node_filesystem_files{@} > 0)) " + WRITABLE
)


def worst(expression: str) -> str:
    """Return the highest value of *expression*."""
    return f"max({expression})"


def mean_time(kind: str, kinds: str) -> str:
    """Return the seconds of an operation; 0 where there was none, and no NaN."""
    done = f"rate(node_disk_{kinds}_completed_total{{@}}{RATE})"
    return (
        f"rate(node_disk_{kind}_time_seconds_total{{@}}{RATE}) / ({done} > 0) or {done}"
    )


# How full, how busy and how fast the disks are.
NAME = "{{instance}} {{mountpoint}}"
DEVICE = "{{instance}} {{device}}"
READ = f"rate(node_disk_read_bytes_total{{@}}{RATE})"
WRITTEN = f"rate(node_disk_written_bytes_total{{@}}{RATE})"
BUSY = f"rate(node_disk_io_time_seconds_total{{@}}{RATE})"
GROWS = "deriv(node_filesystem_avail_bytes{@}[1h])"
LEFT = f"node_filesystem_avail_bytes{{@}} / clamp_min(-{GROWS}, 1) {WRITABLE}"
DISKS_ROW = (
    graph(
        "File systems",
        "Share of each file system that is used, what is kept for root included.",
        FULL,
        DISKS.over_time(FILLED, NAME),
        to=LOGS,
    ),
    graph(
        "Time until a file system is full",
        "If it fills as in the last hour. One that does not fill is far away.",
        Scale("s", below(4 * 86400, 86400)),
        DISKS.over_time(f"clamp_max({LEFT}, 30 * 86400)", NAME),
        to=LOGS,
    ),
    graph(
        "Inodes",
        "Share of the inodes that is used: many small files end these first.",
        FULL,
        DISKS.over_time(INODES, NAME),
        to=LOGS,
    ),
    graph(
        "Disks busy",
        "Share of the time in which a disk had something to do.",
        Scale("percentunit", above(0.8, 0.95), highest=1),
        NODE.over_time(BUSY, DEVICE),
        to=LOGS,
    ),
    graph(
        "Disk throughput",
        "Bytes read from and written to each disk.",
        Scale("Bps"),
        NODE.over_time(READ, DEVICE + " read"),
        NODE.over_time(WRITTEN, DEVICE + " written"),
        to=LOGS,
    ),
    graph(
        "Time of a disk operation",
        "Mean time that one read or one write took, waiting included.",
        Scale("s", above(0.05, 0.2)),
        NODE.over_time(mean_time("read", "reads"), DEVICE + " read"),
        NODE.over_time(mean_time("write", "writes"), DEVICE + " write"),
        to=LOGS,
    ),
)


# What goes over the network, and what goes wrong there.
RECEIVED = f"rate(node_network_receive_bytes_total{{@}}{RATE}) * 8"
SENT = f"rate(node_network_transmit_bytes_total{{@}}{RATE}) * 8"
NETWORK_DEVICE = "{{instance}} {{device}}"
WRONG = [
    NICS.over_time(
        f"rate(node_network_{way}_{what}_total{{@}}{RATE})",
        f"{NETWORK_DEVICE} {way} {what}",
    )
    for way in ("receive", "transmit")
    for what in ("errs", "drop")
]
RETRANSMITTED = (
    f"rate(node_netstat_Tcp_RetransSegs{{@}}{RATE})"
    f" / rate(node_netstat_Tcp_OutSegs{{@}}{RATE})"
)
NETWORK_ROW = (
    graph(
        "Network traffic",
        "Bits over each interface that leads out of the host.",
        Scale("bps"),
        NICS.over_time(RECEIVED, NETWORK_DEVICE + " received"),
        NICS.over_time(SENT, NETWORK_DEVICE + " sent"),
        to=LOGS,
    ),
    graph(
        "Network errors and drops",
        "Packets that were broken, or for which there was no room.",
        Scale("pps", ZERO_IS_GOOD),
        *WRONG,
        to=LOGS,
    ),
    graph(
        "TCP connections",
        "Connections that are open, and those that wait out their end.",
        COUNT,
        NODE.over_time("node_netstat_Tcp_CurrEstab{@}", "{{instance}} open"),
        NODE.over_time("node_sockstat_TCP_tw{@}", "{{instance}} time-wait"),
        to=LOGS,
    ),
    graph(
        "TCP segments sent again",
        "Share of the segments that had to be sent again: a bad or full line.",
        Scale("percentunit", above(0.02, 0.1)),
        NODE.over_time(RETRANSMITTED, "{{instance}}"),
        to=LOGS,
    ),
)


# The tables of the kernel that fill up, and its emergencies.
FILES = "node_filefd_allocated{@} / node_filefd_maximum{@}"
SWAP = (
    "(1 - node_memory_SwapFree_bytes{@} / (node_memory_SwapTotal_bytes{@} > 0))"
    " or node_memory_SwapTotal_bytes{@}"
)
TRACKED = "node_nf_conntrack_entries{@} / node_nf_conntrack_entries_limit{@}"
KERNEL_ROW = (
    graph(
        "Out of memory",
        "Processes that the kernel killed because memory was out.",
        Scale("short", ZERO_IS_GOOD, decimals=0),
        NODE.over_time("increase(node_vmstat_oom_kill{@}[5m])", "{{instance}}"),
        to=LOGS,
    ),
    bars(
        "What the kernel can run out of",
        "Share in use of the open files, of the tracked connections and of the swap.",
        FULL,
        NODE.now(SWAP, "{{instance}} swap"),
        NODE.now(FILES, "{{instance}} open files"),
        NODE.now(TRACKED, "{{instance}} tracked connections"),
        to=LOGS,
    ),
    graph(
        "Processes",
        "Processes that run or wait for a core, and those that wait for a disk.",
        COUNT,
        NODE.over_time("node_procs_running{@}", "{{instance}} running"),
        NODE.over_time("node_procs_blocked{@}", "{{instance}} blocked"),
        to=LOGS,
    ),
    graph(
        "Swapping",
        "Pages that come from and go to swap. A steady stream means too little memory.",
        Scale("ops"),
        NODE.over_time(f"rate(node_vmstat_pswpin{{@}}{RATE})", "{{instance}} in"),
        NODE.over_time(f"rate(node_vmstat_pswpout{{@}}{RATE})", "{{instance}} out"),
        to=LOGS,
    ),
)
