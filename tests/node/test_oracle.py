"""Debian's node_exporter and ours, on one host, at one moment, with the same flags.

The binary is $NODE_EXPORTER or /usr/bin/prometheus-node-exporter (1.5.0 in
Debian 12). Ours follows 1.12: every difference is named in ACCEPTED with its
reason, and one that is not named there fails.

Values are compared by sandwich: theirs, ours, theirs. Ours has to lie between
the two of theirs. A family that moves up and down between three scrapes gets
more rounds, and has to fit in one of them.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest

from exporters.node import registry
from tests.node.process import DEADLINE_SECONDS, free_port, wait_until_listening


pytestmark = [pytest.mark.oracle, pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[2]
FIXTURES = Path(__file__).parent / "fixtures"
ROUNDS = 20

COLLECTORS = (
    "arp",
    "conntrack",
    "cpu",
    "diskstats",
    "entropy",
    "filefd",
    "filesystem",
    "loadavg",
    "meminfo",
    "netclass",
    "netdev",
    "netstat",
    "os",
    "pressure",
    "sockstat",
    "softnet",
    "stat",
    "textfile",
    "time",
    "timex",
    "udp_queues",
    "uname",
    "vmstat",
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
ONLY_OURS = ("kernel_hung",)  # new in 1.9

# What 1.12 has by default and 1.5.0 had otherwise: both get ours.
SAME_DEFAULTS = (
    "collector.diskstats.device-exclude",
    "collector.filesystem.fs-types-exclude",
    "collector.filesystem.mount-points-exclude",
    "collector.netstat.fields",
    "collector.vmstat.fields",
)


class Difference(NamedTuple):
    """One accepted difference between Debian's 1.5.0 and ours."""

    what: str  # "only ours", "only theirs", "HELP", "TYPE", "labels" or "value"
    family: str  # a regular expression, whole
    reason: str


ACCEPTED: tuple[Difference, ...] = (
    Difference("only ours", "node_kernel_hung_tasks_total", "collector of 1.11"),
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


@dataclass(slots=True)
class Family:
    """A family of one exposition: what a scraper sees of it."""

    help: str = ""
    type: str = ""
    samples: dict[str, float] = field(default_factory=dict)


Exposition = dict[str, Family]


def parse(text: str) -> Exposition:
    """Read *text* as it stands, independently of the project's own code."""
    families: Exposition = {}
    for line in text.splitlines():
        if line.startswith("# "):
            _, keyword, name, rest = line.split(" ", 3)
            family = families.setdefault(name, Family())
            setattr(family, keyword.lower(), rest)
        else:
            sample, value = line.rsplit(" ", 1)
            families[sample.partition("{")[0]].samples[sample] = float(value)
    own = re.compile(r"promhttp_.*|node_(exporter_build|scrape)_.*")
    return {name: f for name, f in families.items() if not own.fullmatch(name)}


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


@dataclass(frozen=True, slots=True)
class Exporter:
    """A running exporter."""

    url: str

    def scrape(self, collectors: Sequence[str] = ()) -> Exposition:
        """Return what it says now."""
        query = urllib.parse.urlencode([("collect[]", name) for name in collectors])
        url = f"{self.url}/metrics?{query}"
        with urllib.request.urlopen(url, timeout=DEADLINE_SECONDS) as response:
            return parse(response.read().decode())


@contextmanager
def running(command: Sequence[str], flags: Sequence[str]) -> Iterator[Exporter]:
    address = f"127.0.0.1:{free_port()}"
    argv = [*command, f"--web.listen-address={address}", *flags]
    with subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.PIPE) as process:
        try:
            wait_until_listening(process)
            yield Exporter(f"http://{address}")
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=DEADLINE_SECONDS)


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
    new = [f"--collector.{name}" for name in ONLY_OURS]
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
    with running([binary], same) as them, running(ours, [*same, *new]) as us:
        yield them, us


Found = dict[tuple[str, str], str]
"""(what, family) -> the details, for the person who reads the failure."""


def is_accepted(what: str, family: str) -> bool:
    return any(
        difference.what == what and re.fullmatch(difference.family, family)
        for difference in ACCEPTED
    )


def shape(theirs: Exposition, ours: Exposition) -> Found:
    """Return how the two differ in everything but values."""
    found = {("only ours", name): "" for name in ours.keys() - theirs.keys()}
    found |= {("only theirs", name): "" for name in theirs.keys() - ours.keys()}
    for name in theirs.keys() & ours.keys():
        them, us = theirs[name], ours[name]
        if them.help != us.help:
            found["HELP", name] = f"theirs {them.help!r}, ours {us.help!r}"
        if them.type != us.type:
            found["TYPE", name] = f"theirs {them.type}, ours {us.type}"
        if them.samples.keys() != us.samples.keys():
            found["labels", name] = (
                f"only theirs {sorted(them.samples.keys() - us.samples.keys())},"
                f" only ours {sorted(us.samples.keys() - them.samples.keys())}"
            )
    return found


def values(before: Exposition, ours: Exposition, after: Exposition) -> Found:
    """Return the families of which a value is not between two of theirs."""
    found: Found = {}
    for name in ours.keys() & before.keys() & after.keys():
        first, last = before[name].samples, after[name].samples
        for sample, value in ours[name].samples.items():
            if sample not in first or sample not in last:
                continue
            if not between(first[sample], value, last[sample]):
                found["value", name] = (
                    f"{sample}: ours {value}, theirs {first[sample]}..{last[sample]}"
                )
    return found


def between(first: float, middle: float, last: float) -> bool:
    if math.isnan(middle):
        return math.isnan(first)
    return min(first, last) <= middle <= max(first, last)


def differences(them: Exporter, us: Exporter, collectors: Sequence[str] = ()) -> Found:
    """Return the differences that every round shows, accepted ones left out."""
    remaining: Found | None = None
    for _ in range(ROUNDS):
        before = them.scrape(collectors)
        ours = without_new_labels(us.scrape(collectors))
        after = them.scrape(collectors)
        # A device may come or go at any time, so the shape is compared twice.
        again = shape(after, ours)
        found = {key: text for key, text in shape(before, ours).items() if key in again}
        found |= values(before, ours, after)
        if remaining is not None:
            found = {key: text for key, text in found.items() if key in remaining}
        remaining = {key: text for key, text in found.items() if not is_accepted(*key)}
        if not remaining:
            break
    return remaining or {}


def check(found: Found) -> None:
    lines = [f"{what} {name}: {text}" for (what, name), text in sorted(found.items())]
    if lines:
        pytest.fail("differences that nobody has accepted:\n" + "\n".join(lines))


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
        check(differences(them, us))
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
        check(differences(them, us, FROM_FILES))
