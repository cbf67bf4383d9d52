from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.node.check import mounts, place
from exporters.node.check.mounts import Mount
from exporters.node.paths import Paths


MOUNTINFO = b"""\
21 1 0:18 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
nonsense
22 21 0:19 / /proc rw - proc proc rw,hidepid=2,gid=99
23 21 0:20 / /my\\040host rw master:1 propagate_from:7 - ext4 /dev/sda1 rw
24 21 0:20 / /host rw shared:3 - ext4 /dev/sda1 rw
25 24 0:21 / /host rw - ext4 /dev/sdb1 rw
26 21 0:22 / /- rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("path", "mount"),
    [
        ("/", Mount(("shared:1",), ("rw", "errors=remount-ro"))),
        ("/proc", Mount((), ("rw", "hidepid=2", "gid=99"))),
        ("/my host", Mount(("master:1", "propagate_from:7"), ("rw",))),
        ("/host", Mount((), ("rw",))),  # the one on top
        ("/nowhere", None),
    ],
)
def test_find_a_mount(path: str, mount: Mount | None) -> None:
    assert mounts.find(MOUNTINFO, path) == mount


def test_what_a_mount_says() -> None:
    proc = mounts.find(MOUNTINFO, "/proc")
    assert proc is not None
    assert proc.is_private
    assert (proc.option("hidepid"), proc.option("subset")) == ("2", "")
    for path in ("/", "/my host"):
        mount = mounts.find(MOUNTINFO, path)
        assert mount is not None
        assert not mount.is_private


@given(st.binary(max_size=120))
def test_no_mountinfo_is_too_odd(data: bytes) -> None:
    mounts.find(data, "/")
    mounts.find(MOUNTINFO + data, "/host")


@pytest.mark.parametrize(
    ("status", "count"),
    [
        (b"Name:\tcat\nPid:\t7\nNSpid:\t7\nNSpgid:\t1\t2\n", 1),
        (b"NSpid:\t4711\t7\n", 2),
        (b"Name:\tNSpid:\nPid:\t7\n", None),
        (b"", None),
    ],
)
def test_count_namespaces(status: bytes, count: int | None) -> None:
    assert place.count_namespaces(status) == count


def test_look_at_this_machine() -> None:
    found = place.look(Paths(), {})
    assert found.is_procfs
    assert found.is_sysfs
    assert found.rootfs == place.Root(is_directory=True, is_own=True, has_etc=True)
    assert found.own_devices is not None
    assert "lo" in found.own_devices


def test_look_at_a_made_up_host(tmp_path: Path) -> None:
    for name in ("proc/self", "sys/class/net/eno1", "root/run/udev/data"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "proc/self/status").write_bytes(b"NSpid:\t99\t1\n")
    paths = Paths(
        *(str(tmp_path / name) for name in ("proc", "sys", "root", "root/nothing"))
    )
    found = place.look(paths, {"container": "lxc"})
    assert found.rootfs == place.Root(is_directory=True, is_own=False, has_etc=False)
    assert found.rootfs_mount is None
    assert found.hosts_processes is True
    assert not found.is_procfs
    assert found.init_error is not None
    assert "No such file" in found.init_error
    assert found.sysfs_devices == frozenset({"eno1"})
    assert (found.has_udev, found.rootfs_has_udev) == (False, True)


def test_look_at_nothing(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere")
    found = place.look(Paths(nowhere, nowhere, nowhere, nowhere), os.environ)
    assert found.rootfs == place.Root(is_directory=False, is_own=False, has_etc=False)
    assert (found.hosts_processes, found.sysfs_devices) == (None, None)


def test_the_network_of_this_machine_is_known() -> None:
    with contextlib.suppress(FileNotFoundError):
        names = os.listdir("/proc/sys/net/core")
        found = place.look(Paths(), {}).hosts_network
        assert found is ("netdev_max_backlog" in names)
