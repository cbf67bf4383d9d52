from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, strategies as st

from exporters.node.collectors import selinux
from exporters.node.paths import Paths
from tests.node import tree
from tests.node.conftest import Run


@pytest.mark.parametrize(
    ("data", "mode"),
    [
        (b"SELINUX=enforcing\n", 1),
        (b" SELINUX=permissive \r\n", 0),
        (b'SELINUX="enforcing"\n', 1),
        (b"SELINUX=disabled\n", -1),
        (b"SELINUX=Enforcing\n", -1),
        (b"SELINUX=enforcing # now\n", -1),
        (b"SELINUX =enforcing\n", -1),
        (b"#SELINUX=enforcing\n;SELINUX=enforcing\n", -1),
        (b"SELINUXTYPE=enforcing\nSELINUX\nSELINUX=permissive\nSELINUX=enforcing", 0),
        (b"", -1),
    ],
)
def test_config(data: bytes, mode: int) -> None:
    assert selinux.parse_config(data) == mode


@pytest.mark.parametrize(
    ("data", "mode"), [(b"1", 1), (b"0", 0), (b"1\n", 1), (b"", -1), (b"on", -1)]
)
def test_enforce(data: bytes, mode: int) -> None:
    assert selinux.parse_enforce(data) == mode


@pytest.mark.parametrize("parse", [selinux.parse_config, selinux.parse_enforce])
@given(data=st.binary(max_size=60))
def test_any_bytes_are_a_mode(parse: Callable[[bytes], int], data: bytes) -> None:
    assert isinstance(parse(data), int)


def modes(run: Run, host: str, tmp_path: Path) -> dict[str, float]:
    tree.plant(host.replace("$ROOT", str(tmp_path)), tmp_path)
    where = Paths(
        procfs=f"{tmp_path}/proc",
        sysfs=f"{tmp_path}/sys",
        rootfs=f"{tmp_path}/root",
    )
    families = run(selinux.COLLECTOR, where=where)
    return {
        s.name.removeprefix("node_selinux_"): s.value
        for family in families
        for s in family.samples
    }


ENFORCING = 'sys/fs/selinux/enforce: bytes "1"\n'
MOUNT = "proc/self/mountinfo: 25 1 0:22 / $ROOT{path} {options} - selinuxfs none rw\n"
ELSEWHERE = 'mnt/enforce: bytes "0"\nroot/mnt/enforce: bytes "1"\n'


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("sys/fs/\n", None),
        ("sys/fs/selinux/\n", None),  # a kernel that has it, and nothing is mounted
        ("sys/fs/selinux/\nproc/self/mountinfo: x\n", None),
        (ENFORCING + 'proc/self/attr/current: bytes "kernel\\x00"\n', None),
        ('sys/fs/selinux/enforce: bytes "0"\n', (-1, 0)),
        (ENFORCING + "root/etc/selinux/config: SELINUX=enforcing\n", (1, 1)),
        (
            "sys/fs/selinux/\n"
            + ELSEWHERE
            + MOUNT.format(path="/mnt", options="rw,nosuid"),
            (-1, 0),
        ),
        # A container is told "off" by a read-only mount of its own,
        (
            "sys/fs/selinux/\n" + ELSEWHERE + MOUNT.format(path="/mnt", options="ro"),
            None,
        ),
        # but not by one of the host's.
        (
            "sys/fs/selinux/\n"
            + ELSEWHERE
            + MOUNT.format(path="/root/mnt", options="ro"),
            (-1, 1),
        ),
    ],
)
def test_hosts(
    host: str, expected: tuple[int, int] | None, run: Run, tmp_path: Path
) -> None:
    found = modes(run, host, tmp_path)
    if expected is None:
        assert found == {"enabled": 0}
    else:
        config, current = expected
        assert found == {
            "enabled": 1,
            "config_mode": config,
            "current_mode": current,
        }


@pytest.mark.parametrize(("flag", "is_found"), [(os.ST_RDONLY, False), (0, True)])
def test_an_own_read_only_mount_is_off(
    flag: int, is_found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "isdir", lambda _: True)
    monkeypatch.setattr(os.path, "exists", lambda _: True)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=flag))
    found = selinux.find_mount(Paths(procfs="/nowhere"))
    assert found == ("/sys/fs/selinux" if is_found else None)
