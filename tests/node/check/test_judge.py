"""Made-up hosts, and what is said of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporters.node.check.findings import Finding, note, report, wrong
from exporters.node.check.judge import judge
from exporters.node.check.mounts import Mount
from exporters.node.check.place import Place, Root
from exporters.node.paths import Paths


ON = ("arp", "diskstats", "filesystem", "netclass", "netdev", "os")
SHARED = Mount(("master:1",), ("rw",))
PRIVATE = Mount((), ("rw",))
DEVICES = frozenset({"lo", "eno1"})

BARE_METAL = Place(
    Paths(),
    contained=False,
    rootfs=Root(is_directory=True, is_own=True, has_etc=True),
    rootfs_mount=PRIVATE,
    procfs_mount=Mount((), ("rw",)),
    hosts_processes=True,
    hosts_network=True,
    sysfs_devices=DEVICES,
    own_devices=DEVICES,
)
# What upstream's README asks for.
CONTAINER = replace(
    BARE_METAL,
    paths=Paths(rootfs="/host"),
    contained=True,
    rootfs=Root(is_directory=True, is_own=False, has_etc=True),
    rootfs_mount=SHARED,
)


@pytest.mark.parametrize("place", [BARE_METAL, CONTAINER])
def test_nothing_is_said_of_a_good_installation(place: Place) -> None:
    assert list(judge(place, (*ON, "processes"))) == []


def hidden(place: Place, option: str) -> Place:
    return replace(
        place,
        init_error="[Errno 2] No such file or directory: '/proc/1/mountinfo'",
        procfs_mount=Mount((), ("rw", f"hidepid={option}")),
    )


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (
            replace(CONTAINER, paths=Paths()),
            ("without --path.rootfs: the metrics of filesystem and os are", "rslave"),
        ),
        (
            replace(CONTAINER, rootfs=Root(is_directory=False)),
            ("--path.rootfs=/host is no directory",),
        ),
        (replace(CONTAINER, rootfs=None), ("--path.rootfs=/host is no directory",)),
        (
            replace(CONTAINER, rootfs=Root(is_own=True)),
            ("--path.rootfs=/host is the root that this process has anyway",),
        ),
        (
            replace(CONTAINER, rootfs=Root(has_etc=False)),
            ("--path.rootfs=/host has no etc",),
        ),
        (
            replace(CONTAINER, rootfs_mount=PRIVATE),
            ("without propagation", "-v /:/host:ro,rslave"),
        ),
        (replace(BARE_METAL, is_procfs=False), ("--path.procfs=/proc has no file",)),
        (
            replace(CONTAINER, hosts_processes=False),
            (
                "processes and mounts of this container",
                "metrics of filesystem.",
                "--pid=",
            ),
        ),
        (hidden(CONTAINER, "2"), ("hidepid=2", "The metrics of filesystem lack")),
        (
            replace(CONTAINER, init_error="[Errno 13] Permission denied: 'x'"),
            ("process 1 cannot be read: [Errno 13]", "the exporter itself"),
        ),
        (
            replace(CONTAINER, hosts_network=False),
            (
                "a network of its own: the metrics of arp, netclass and netdev are",
                "--network=",
            ),
        ),
        (
            replace(BARE_METAL, sysfs_devices=frozenset({"lo", "veth7"})),
            ("--path.sysfs=/sys shows network devices", "(veth7)"),
        ),
        (replace(BARE_METAL, is_sysfs=False), ("--path.sysfs=/sys has no directory",)),
    ],
)
def test_what_is_wrong_is_one_thing_with_its_remedy(
    place: Place, words: tuple[str, ...]
) -> None:
    (finding,) = judge(place, ON)
    assert finding.wrong
    for word in words:
        assert word in finding.text


def test_hidden_processes_matter_only_to_who_counts_them() -> None:
    place = hidden(BARE_METAL, "invisible")
    (idle,) = judge(place, ON)
    assert not idle.wrong
    assert "hidepid=invisible" in idle.text
    (counted,) = judge(place, (*ON, "processes"))
    assert counted.wrong
    assert "The metrics of processes lack" in counted.text


def test_a_container_whose_collectors_are_off_lacks_nothing() -> None:
    place = replace(CONTAINER, hosts_network=False, hosts_processes=False)
    assert list(judge(place, ("loadavg", "meminfo"))) == []


def test_the_hosts_network_is_where_path_net_leads() -> None:
    paths = replace(CONTAINER.paths, net="/host/proc/1/net")
    place = replace(CONTAINER, hosts_network=False, paths=paths)
    assert list(judge(place, ("arp", "netdev", "netstat"))) == []
    (finding,) = judge(place, ("arp", "netdev", "network_route"))
    assert "the metrics of network_route are" in finding.text


def test_what_could_not_be_found_out_is_not_wrong() -> None:
    place = replace(
        CONTAINER,
        rootfs_mount=None,
        procfs_mount=None,
        hosts_processes=None,
        hosts_network=None,
        sysfs_devices=None,
    )
    assert list(judge(place, ON)) == []


def test_a_device_that_has_just_come_is_nothing() -> None:
    place = replace(BARE_METAL, sysfs_devices=DEVICES | {"veth1", "bonding_masters"})
    assert list(judge(place, ON)) == []


def test_udev_that_is_elsewhere_is_named() -> None:
    place = replace(CONTAINER, has_udev=False, rootfs_has_udev=True)
    (finding,) = judge(place, ON)
    assert not finding.wrong
    assert "Give --path.udev.data=/host/run/udev/data." in finding.text
    assert list(judge(place, ("loadavg",))) == []
    (finding,) = judge(replace(place, rootfs_has_udev=False), ON)
    assert "Give" not in finding.text


@pytest.mark.parametrize(
    ("findings", "text"),
    [
        ([], "Nothing is wrong.\n"),
        ([note("A.")], "note: A.\nNothing is wrong.\n"),
        ([note("A."), wrong("B\n c.")], "wrong: B c.\nnote: A.\n1 thing is wrong.\n"),
        ([wrong("A."), wrong("B.")], "wrong: A.\nwrong: B.\n2 things are wrong.\n"),
    ],
)
def test_report(findings: list[Finding], text: str) -> None:
    assert report(findings) == text
