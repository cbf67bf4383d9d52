"""The newest node_exporter in Debian and ours: every collector, on one host.

The binary is $NODE_EXPORTER_SID (1.11.1 in Debian sid). Collectors are those that both
know. Differences are named in ACCEPTED; docs/metrics-node.md lists them for users.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
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
    check,
    running,
)


pytestmark = [pytest.mark.oracle, pytest.mark.timeout(300)]

ACCEPTED: tuple[Difference, ...] = (
    *COMMON,
    Difference(
        "only ours",
        "node_memory_(Balloon|FileHugePages|FilePmdMapped|Hugetlb|KReclaimable"
        "|SecPageTables|Unaccepted|Zswap|Zswapped)(_bytes)?",
        "every field that the kernel prints, as node_exporter had up to 1.8",
    ),
    Difference("labels", "node_disk_info", "1.11 says rotational 0 of every disk"),
    Difference(
        "value",
        "node_filesystem_readonly",
        "since 1.12 the super block's options count, not only the mount's",
    ),
)
COMPARISON = Comparison(ACCEPTED)

# Debian's patches, taken back: the flags say what upstream has by default.
UNPATCHED = (
    "--collector.netdev.device-exclude=^$",
    (
        "--collector.filesystem.mount-points-exclude="
        "^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+"
        "|var/lib/containers/storage/.+)($|/)"
    ),
)


@pytest.fixture(scope="module")
def binary() -> str:
    named = os.environ.get("NODE_EXPORTER_SID", "")
    found = shutil.which(named) if named else None
    if found is None:
        pytest.skip(f"no node_exporter at {named!r}: set NODE_EXPORTER_SID")
    return found


def known(binary: str) -> list[str]:
    """Return the collectors that both programs have."""
    asked = subprocess.run([binary, "--help"], capture_output=True, check=True)
    theirs = re.findall(
        rb"--(?:\[no-\])?collector\.(\w+)\s", asked.stdout + asked.stderr
    )
    ours = {spec.name for spec in registry.discover()}
    return sorted(ours & {name.decode() for name in theirs})


@contextmanager
def both(
    binary: str, collectors: Sequence[str], flags: Sequence[str]
) -> Iterator[tuple[Exporter, Exporter]]:
    """Start theirs and ours with the same *flags* and *collectors*."""
    chosen = [f"--collector.{name}" for name in collectors]
    common = ["--web.disable-exporter-metrics", "--collector.disable-defaults"]
    same = [*common, *chosen, *UNPATCHED, *flags]
    ours = [sys.executable, "-m", "exporters.node"]
    with running([binary], same) as them, running(ours, same) as us:
        yield them, us


@pytest.mark.parametrize(
    "flags",
    [
        (),
        (
            "--collector.stat.softirq",
            "--collector.cpu.info",
            "--collector.netdev.address-info",
            "--collector.netdev.enable-detailed-metrics",
            "--collector.netdev.label-ifalias",
        ),
        ("--no-collector.netdev.netlink", "--no-collector.arp.netlink"),
    ],
    ids=["defaults", "more of each", "without netlink"],
)
def test_every_collector_on_the_same_host(
    flags: tuple[str, ...], binary: str, tmp_path: Path
) -> None:
    (tmp_path / "good.prom").write_text(
        "# HELP backup_seconds Duration.\n# TYPE backup_seconds gauge\n"
        'backup_seconds{job="a"} 12.5\nplain 1e9\n'
    )
    collectors = known(binary)
    textfile = f"--collector.textfile.directory={tmp_path}"
    with both(binary, collectors, [textfile, *flags]) as (them, us):
        check(COMPARISON.differences(them, us))
        ours = us.scrape()
    for name in ("node_load1", "node_memory_MemTotal_bytes", "backup_seconds"):
        assert ours[name].samples
    succeeded = sum(ours["node_scrape_collector_success"].samples.values())
    print(
        f"{len(collectors)} collectors, {succeeded:.0f} succeed, {len(ours)} families"
    )
