"""node_exporter's own end-to-end test, run over ours.

``python -m tests.node.upstream DIR [collector ...]`` with a checkout of node_exporter
in DIR prints how many lines of its ``e2e-output.txt`` ours prints, and the difference;
with ``NODE_EXPORTER=`` a binary is asked instead of that file.
Nothing of that checkout is part of this project. The flags and the lines that are
skipped are those of its ``end-to-end-test.sh``.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.process import free_port, wait_until_listening


PROJECT = Path(__file__).parents[2]
_EXPECTED = "collector/fixtures/e2e-output.txt"

# Samples that depend on the host or on the moment; and go_* altogether.
_SKIPPED = re.compile(
    r"(go_|node_exporter_build_info|node_scrape_collector_duration_seconds|process_"
    r"|node_textfile_mtime_seconds|node_time_(zone|seconds)"
    r"|node_network_(receive|transmit)_(bytes|packets)_total)"
    r"|# (HELP|TYPE) go_"
)

SWITCHED_ON = (
    "arp",
    "bcache",
    "bcachefs",
    "bonding",
    "btrfs",
    "buddyinfo",
    "cgroups",
    "conntrack",
    "cpu_vulnerabilities",
    "dmi",
    "drbd",
    "edac",
    "entropy",
    "fibrechannel",
    "filefd",
    "hwmon",
    "infiniband",
    "interrupts",
    "ipvs",
    "kernel_hung",
    "ksmd",
    "lnstat",
    "loadavg",
    "mdadm",
    "meminfo",
    "meminfo_numa",
    "mountstats",
    "netdev",
    "netstat",
    "nfs",
    "nfsd",
    "pcidevice",
    "pressure",
    "processes",
    "qdisc",
    "rapl",
    "schedstat",
    "slabinfo",
    "sockstat",
    "softirqs",
    "stat",
    "sysctl",
    "textfile",
    "thermal_zone",
    "udp_queues",
    "vmstat",
    "watchdog",
    "wifi",
    "xfrm",
    "xfs",
    "zfs",
    "zoneinfo",
)
SWITCHED_OFF = ("filesystem", "selinux", "timex", "uname")
PATHS = (
    "--path.rootfs=collector/fixtures",
    "--path.procfs=collector/fixtures/proc",
    "--path.sysfs=collector/fixtures/sys",
    "--path.udev.data=collector/fixtures/udev/data",
)
OPTIONS = (
    "--collector.cpu.info",
    "--collector.arp.device-exclude=nope",
    "--no-collector.arp.netlink",
    "--collector.bcache.priorityStats",
    "--collector.cpu.info.bugs-include=^(cpu_meltdown|spectre_.*|mds)$",
    "--collector.cpu.info.flags-include=^(aes|avx.?|constant_tsc)$",
    (
        "--collector.hwmon.chip-include="
        "(applesmc|asus_nb_wmi|coretemp|hwmon4|ieee80211|nct6779)"
    ),
    "--collector.netclass.ignore-invalid-speed",
    "--collector.netclass.ignored-devices=(dmz|int)",
    "--collector.netdev.device-include=lo",
    "--collector.qdisc.device-include=(wlan0|eth0)",
    "--collector.qdisc.fixtures=collector/fixtures/qdisc/",
    "--collector.stat.softirq",
    "--collector.sysctl.include-info=kernel.seccomp.actions_avail",
    "--collector.sysctl.include=fs.file-nr",
    "--collector.sysctl.include=fs.file-nr:total,current,max",
    "--collector.sysctl.include=kernel.threads-max",
    "--collector.textfile.directory=collector/fixtures/textfile/two_metric_files/",
    "--collector.wifi.fixtures=collector/fixtures/wifi",
)


class Result(NamedTuple):
    """What of the expected lines was there, and the difference in words."""

    expected: int
    equal: int
    difference: str


def flags() -> list[str]:
    """Return the flags of the end-to-end test."""
    on = [f"--collector.{name}" for name in SWITCHED_ON]
    off = [f"--no-collector.{name}" for name in SWITCHED_OFF]
    return [*PATHS, *on, *off, *OPTIONS, "--log.level=debug"]


def flags_of(collectors: Sequence[str]) -> list[str]:
    """Return the flags that run only *collectors*, with the test's options for them."""
    own = [
        option
        for option in OPTIONS
        if option.split(".")[1].partition("=")[0] in collectors
    ]
    chosen = [f"--collector.{name}" for name in collectors]
    return [*PATHS, "--collector.disable-defaults", *chosen, *own]


def compared(text: str) -> list[str]:
    """Return the lines of *text* that have to be the same everywhere."""
    return [line for line in text.splitlines() if not _SKIPPED.match(line)]


def compare(expected: str, ours: str) -> Result:
    """Compare two expositions line by line, order included."""
    theirs, mine = compared(expected), compared(ours)
    matcher = difflib.SequenceMatcher(None, theirs, mine, autojunk=False)
    equal = sum(block.size for block in matcher.get_matching_blocks())
    lines = difflib.unified_diff(theirs, mine, "theirs", "ours", n=0, lineterm="")
    return Result(len(theirs), equal, "\n".join(lines))


@contextmanager
def unpacked(source: Path) -> Iterator[Path]:
    """Yield a folder with the unpacked fixtures of the checkout *source*."""
    with tempfile.TemporaryDirectory() as folder:
        fixtures = Path(folder) / "collector/fixtures"
        shutil.copytree(source / "collector/fixtures", fixtures, symlinks=True)
        for name in ("sys", "udev"):
            if not (fixtures / name).exists():
                archive = fixtures / f"{name}.ttar"
                unpack = ["bash", str(source / "ttar"), "-C", str(fixtures)]
                subprocess.run([*unpack, "-x", "-f", str(archive)], check=True)
        yield Path(folder)


def scrape(command: Sequence[str], folder: Path, given: Sequence[str]) -> str:
    """Return what *command* says in *folder*.

    lo is the host's: its errors and drops have to be 0, as they are everywhere.
    """
    address = f"127.0.0.1:{free_port()}"
    argv = [*command, f"--web.listen-address={address}", *given]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(
        argv, cwd=folder, stderr=subprocess.PIPE, env=environment
    ) as process:
        try:
            wait_until_listening(process)
            url = f"http://{address}/metrics"
            with urllib.request.urlopen(url, timeout=30) as response:
                text: str = response.read().decode()
            return text
        finally:
            process.terminate()
            process.communicate(timeout=30)


def run(source: Path, collectors: Sequence[str] = (), theirs: str = "") -> Result:
    """Run ours over the checkout *source*; against *theirs*, a binary, if given."""
    given = flags_of(collectors) if collectors else flags()
    with unpacked(source) as folder:
        ours = scrape([sys.executable, "-m", "exporters.node"], folder, given)
        if theirs:
            return compare(scrape([theirs], folder, given), ours)
        return compare((source / _EXPECTED).read_text("utf-8"), ours)


def main(argv: Sequence[str]) -> int:
    """Print the result for the checkout ``argv[0]``."""
    result = run(Path(argv[0]), argv[1:], os.environ.get("NODE_EXPORTER", ""))
    print(result.difference)
    print(f"{result.equal} of {result.expected} lines")
    return int(bool(result.difference))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
