"""The table of what differs from the originals' series, each with its reason."""

from __future__ import annotations

from typing import NamedTuple


class Explained(NamedTuple):
    """One difference that is meant to be."""

    side: str  # "only theirs", "only ours" or "both"
    family: str  # a regular expression, whole
    reason: str
    labels: str = ""  # a regular expression, somewhere in them; any


EXPLAINED: tuple[Explained, ...] = (
    # Whatever version.
    Explained("only theirs", "go_.*", "there is no Go runtime in ours"),
    Explained("both", "node_exporter_build_info", "another version"),
    Explained("both", "nginx_exporter_build_info", "another version, or 0.x has none"),
    Explained("only ours", "node_scrape_collector_failure", "says why, and how often"),
    Explained(
        "only ours",
        "promtail_targets_active_total",
        "ours counts containers, too, promtail files alone",
    ),
    # nginx exporter 0.11.
    Explained("only theirs", "nginxexporter_build_info", "1.x renamed it"),
    Explained("only ours", "(process|promhttp)_.*", "1.x has it, 0.x had not"),
    # node_exporter 1.11.
    Explained(
        "only ours",
        "node_memory_(Balloon|FileHugePages|FilePmdMapped|Hugetlb|KReclaimable"
        "|SecPageTables|Unaccepted|Zswap|Zswapped)_bytes",
        "every field that the kernel prints, as node_exporter had up to 1.8",
    ),
    Explained("both", "node_disk_info", "1.11 says rotational 0 of every disk"),
    Explained(
        "only ours",
        "node_scrape_collector_.*",
        "collectors that came since",
        'collector="(bcachefs|dmmultipath|kernel_hung|watchdog)"',
    ),
    # node_exporter 1.5.
    Explained(
        "only ours",
        "node_filesystem_(mount_info|purgeable_bytes)|node_kernel_hung_tasks_total"
        "|node_softnet_(backlog_len|(cpu_collision|received_rps|flow_limit_count)_total)"
        "|node_netstat_TcpExt_TCP(OFOQueue|RcvQDrop)"
        "|node_pressure_irq_stalled_seconds_total|node_cpu_frequency_hertz",
        "came since 1.5",
    ),
    Explained("both", "node_network_info", "adminstate came since 1.5"),
    Explained("only theirs", "node_disk_.*", "left out since 1.6", 'device="zram'),
    # What Debian's patches make of the originals; upstream's programs do as ours.
    Explained("only ours", "node_network_.*", "Debian's 1.5 has no lo", 'device="lo"'),
    Explained(
        "only ours",
        "node_filesystem_.*",
        "Debian leaves these out",
        r'mountpoint="/(mnt|media|run)[/"]',
    ),
    Explained(
        "only theirs",
        "node_(systemd|scrape_collector)_.*",
        "Debian has the collector on",
        'collector="systemd"',
    ),
    Explained("only theirs", "node_systemd_.*", "Debian has the collector on"),
)
