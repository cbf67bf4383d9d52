"""Debian 12's node_exporter and ours, on one host, at one moment, with the same flags.

The binary is $NODE_EXPORTER or /usr/bin/prometheus-node-exporter (1.5.0). Ours follows
1.12: every difference is named in ACCEPTED with its reason, and one that is not named
there fails.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from exporters.node import registry
from tests.node.oracle.compare import (
    COMMON,
    Comparison,
    Difference,
    Exporter,
    Exposition,
    check,
    running,
)


pytestmark = [pytest.mark.oracle, pytest.mark.timeout(180)]

FIXTURES = Path(__file__).parents[1] / "fixtures"

COLLECTORS = (
    "arp",
    "bcache",
    "bonding",
    "btrfs",
    "buddyinfo",
    "cgroups",
    "conntrack",
    "cpu",
    "cpufreq",
    "diskstats",
    "dmi",
    "drbd",
    "drm",
    "edac",
    "entropy",
    "ethtool",
    "fibrechannel",
    "filefd",
    "filesystem",
    "hwmon",
    "infiniband",
    "interrupts",
    "ipvs",
    "ksmd",
    "lnstat",
    "loadavg",
    "mdadm",
    "meminfo",
    "meminfo_numa",
    "mountstats",
    "netclass",
    "netdev",
    "netstat",
    "network_route",
    "nfs",
    "nfsd",
    "nvme",
    "os",
    "perf",
    "powersupplyclass",
    "pressure",
    "processes",
    "qdisc",
    "rapl",
    "schedstat",
    "selinux",
    "slabinfo",
    "sockstat",
    "softnet",
    "stat",
    "sysctl",
    "tapestats",
    "tcpstat",
    "textfile",
    "thermal_zone",
    "time",
    "timex",
    "udp_queues",
    "uname",
    "vmstat",
    "wifi",
    "xfs",
    "zfs",
    "zoneinfo",
)
FROM_FILES = (
    "conntrack",
    "entropy",
    "filefd",
    "loadavg",
    "meminfo",
    "netstat",
    "os",
    "pressure",
    "sockstat",
    "softnet",
    "stat",
    "udp_queues",
    "vmstat",
)

# What 1.12 has by default and 1.5.0 had otherwise: both get ours.
SAME_DEFAULTS = (
    "collector.diskstats.device-exclude",
    "collector.filesystem.fs-types-exclude",
    "collector.filesystem.mount-points-exclude",
    "collector.netstat.fields",
    "collector.vmstat.fields",
)

ACCEPTED: tuple[Difference, ...] = (
    *COMMON,
    Difference(
        "only ours",
        "node_softnet_(backlog_len|(cpu_collision|received_rps|flow_limit_count)_total)",
        "columns exported since",
    ),
    Difference("only ours", "node_pressure_irq_stalled_seconds_total", "new in 1.9"),
    Difference("only ours", "node_cpu_frequency_hertz", "from /proc/cpuinfo"),
    Difference("only ours", "node_filesystem_mount_info", "new in 1.9"),
    Difference(
        "only ours", "node_filesystem_purgeable_bytes", "new in 1.9: 0 on Linux"
    ),
)

# Labels that 1.5.0 had not: taken away from ours, the rest has to be the same.
NEW_LABELS = {
    "node_disk_info": "rotational",
    "node_network_info": "adminstate",
    "node_filesystem_.*": "device_error",
}


def without_new_labels(ours: Exposition) -> Exposition:
    """Return *ours* as it would be without the labels of NEW_LABELS."""
    for pattern, label in NEW_LABELS.items():
        there = re.compile(rf'(?<=[{{,]){label}="(\\.|[^"\\])*",?')
        for name, family in ours.items():
            if re.fullmatch(pattern, name):
                family.samples = {
                    there.sub("", sample).replace(",}", "}"): value
                    for sample, value in family.samples.items()
                }
    return ours


COMPARISON = Comparison(ACCEPTED, without_new_labels)


@pytest.fixture(scope="module")
def binary() -> str:
    named = os.environ.get("NODE_EXPORTER", "/usr/bin/prometheus-node-exporter")
    found = shutil.which(named)
    if found is None:
        pytest.skip(f"no node_exporter at {named}: set NODE_EXPORTER")
    return found


@contextmanager
def both(
    binary: str, collectors: Sequence[str], flags: Sequence[str]
) -> Iterator[tuple[Exporter, Exporter]]:
    """Start theirs and ours with the same *flags* and *collectors*."""
    chosen = [f"--collector.{name}" for name in collectors]
    defaults = [
        f"--{flag.name}={flag.default}"
        for flag in registry.flags(registry.discover())
        if flag.name in SAME_DEFAULTS
    ]
    assert len(defaults) == len(SAME_DEFAULTS)
    same = [
        "--web.disable-exporter-metrics",
        "--collector.disable-defaults",
        *chosen,
        *defaults,
        "--collector.netdev.device-exclude=^$",  # Debian's patch: ^lo$
        *flags,
    ]
    ours = [sys.executable, "-m", "exporters.node"]
    with running([binary], same) as them, running(ours, same) as us:
        yield them, us


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--collector.stat.softirq", "--collector.cpu.info"),
        ("--no-collector.netdev.netlink",),
    ],
    ids=["defaults", "softirq and cpu.info", "without netlink"],
)
def test_the_same_host(options: tuple[str, ...], binary: str, tmp_path: Path) -> None:
    (tmp_path / "good.prom").write_text(
        "# HELP backup_seconds Duration.\n# TYPE backup_seconds gauge\n"
        'backup_seconds{job="a"} 12.5\nplain 1e9\n'
    )
    (tmp_path / "bad.prom").write_text("no newline at the end 1")
    flags = [
        f"--collector.textfile.directory={tmp_path}",
        *options,
    ]
    with both(binary, COLLECTORS, flags) as (them, us):
        check(COMPARISON.differences(them, us))
        ours = us.scrape()
        for name in ("node_load1", "node_memory_MemTotal_bytes", "backup_seconds"):
            assert ours[name].samples


def test_the_same_files(binary: str) -> None:
    """On files that do not change every value is equal, to the last digit."""
    flags = [
        f"--path.procfs={FIXTURES / 'proc'}",
        f"--path.sysfs={FIXTURES / 'sys'}",
        f"--path.rootfs={FIXTURES / 'root'}",
        "--collector.stat.softirq",
    ]
    with both(binary, FROM_FILES, flags) as (them, us):
        check(COMPARISON.differences(them, us, FROM_FILES))
