"""What is kept open gives what opening anew would, whatever becomes of the path."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


ROOT = Path(__file__).parents[2]
NEEDED = ("unshare", "ip", "mount")

PROGRAM = """
import json, os, subprocess, sys
from exporters.node.collectors import loadavg, netclass
from exporters.node.paths import Paths
from exporters.node.registry import Context, Registry
from exporters.toolkit.flags import Program

def sh(command):
    subprocess.run(command, shell=True, check=True)

specs = (loadavg.COLLECTOR, netclass.COLLECTOR)
flags = [flag for spec in specs for flag in (spec.switch, *spec.flags)]
from exporters.node.registry import DISABLE_DEFAULTS
values = Program("x", "", (DISABLE_DEFAULTS, *flags)).parse((), {})
context = Context(Paths(), values)
registry = Registry(specs, context)

def shown(name):
    registry.begin_scrape()
    return {
        "/".join((sample.name, *list(sample.labels.values())[:1])): sample.value
        for metric in registry.enabled[name]()
        for sample in metric.samples
    }

def mtus():
    prefix = "node_network_mtu_bytes/"
    return {
        name.removeprefix(prefix): value
        for name, value in shown("netclass").items()
        if name.startswith(prefix) and "probe" in name
    }

def descriptors():
    return len(os.listdir("/proc/self/fd"))

steps = {}
sh("ip link add probe0 mtu 1400 type veth peer name probe1")
steps["two"] = mtus()
sh("ip link set probe0 mtu 1300")
steps["changed"] = mtus()
held = descriptors()
sh("ip link set probe0 name probe2; ip link set probe1 name probe0")
steps["renamed"] = mtus()
sh("ip link del probe0")
steps["gone"] = mtus()
steps["closed"] = descriptors() < held
sh("ip link add probe0 mtu 1200 type veth peer name probe1")
steps["again"] = mtus()
with open("/tmp/loadavg", "w") as file:
    file.write("7 8 9 1/1 1")
steps["load"] = shown("loadavg")["node_load1"] < 7 or "busy"
sh("mount --bind /tmp/loadavg /proc/loadavg")
steps["bound"] = shown("loadavg")["node_load1"]
sh("umount /proc/loadavg")
steps["unbound"] = shown("loadavg")["node_load1"] != 7
mtus()
held, epoch = descriptors(), context.keeper.epoch
sh("mkdir /tmp/elsewhere; mount -t tmpfs none /tmp/elsewhere")
mtus()
steps["elsewhere"] = context.keeper.epoch == epoch and descriptors() == held
sh("mkdir -p /tmp/sys/class/net/probe9; echo 42 >/tmp/sys/class/net/probe9/mtu")
sh("mount --bind /tmp/sys /sys")
steps["replaced"] = mtus()
print(json.dumps(steps))
"""


@pytest.fixture(scope="module")
def steps() -> dict[str, Any]:
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    inside = ["unshare", "--map-root-user", "--net", "--mount"]
    setup = "mount -t sysfs none /sys && mount -t tmpfs none /tmp"
    program = [sys.executable, "-c", PROGRAM]
    probe = [*inside, "sh", "-ec", setup]
    allowed = subprocess.run(probe, capture_output=True, text=True, check=False)
    if allowed.returncode != 0:
        pytest.skip(f"no namespaces here: {allowed.stderr.strip()}")
    done = subprocess.run(
        [*inside, "sh", "-ec", f'{setup}; exec "$@"', "sh", *program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "Unknown device type" in done.stderr:
        pytest.skip("this kernel has no veth")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_interfaces_that_change_are_renamed_and_come_back(
    steps: dict[str, Any],
) -> None:
    assert steps["two"]["probe0"] == 1400
    assert steps["changed"] == {**steps["two"], "probe0": 1300}
    assert steps["renamed"] == {"probe2": 1300, "probe0": steps["two"]["probe1"]}
    assert steps["gone"] == {}
    assert steps["closed"]
    assert steps["again"]["probe0"] == 1200


def test_what_is_mounted_over_a_file_is_read(steps: dict[str, Any]) -> None:
    assert steps["bound"] == 7
    assert steps["unbound"]


def test_another_tree_in_the_place_of_sysfs_is_read(steps: dict[str, Any]) -> None:
    assert steps["replaced"] == {"probe9": 42}


def test_a_mount_elsewhere_closes_nothing(steps: dict[str, Any]) -> None:
    assert steps["elsewhere"]
