from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from exporters.node import deadline
from exporters.node.collectors import filesystem
from exporters.node.collectors.filesystem import Usage
from exporters.node.paths import Paths
from exporters.toolkit.errors import StartError
from exporters.toolkit.metric import Metric
from tests.node.conftest import FIXTURES, Run


ROOT = Path(__file__).parents[3]
Rows = dict[str, dict[tuple[str, ...], float]]


def rows(families: list[Metric]) -> Rows:
    return {
        f.name.removeprefix("node_filesystem_"): {
            tuple(s.labels.values()): s.value for s in f.samples
        }
        for f in families
    }


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The paths that were asked for; every one answers but /srv, which is gone."""
    paths: list[bytes] = []

    def statvfs(path: bytes) -> os.statvfs_result:
        paths.append(path)
        if path.endswith(b"/srv"):
            raise OSError(errno.ESTALE, "Stale file handle")
        return os.statvfs_result((4096, 512, 100, 60, 50, 1000, 900, 900, 0, 255))

    monkeypatch.setattr(os, "statvfs", statvfs)
    return paths


HOST = Paths(procfs=str(FIXTURES / "proc"))
ON_ROOT = ("/dev/vda", "/", "ext4", "")
ON_WORDS = ("/dev/sdb1", "/mnt/two words\tab", "xfs", "")
GONE = ("nas:/export", "/srv", "nfs4", "stale NFS file handle")


def test_every_family(run: Run, asked: list[bytes]) -> None:
    found = rows(run(filesystem.COLLECTOR, where=HOST))
    both = (ON_ROOT, ON_WORDS)
    assert found == {
        "device_error": {ON_ROOT: 0, ON_WORDS: 0, GONE: 1},
        "readonly": {ON_ROOT: 0, ON_WORDS: 1, GONE: 1},
        "size_bytes": dict.fromkeys(both, 409600),
        "free_bytes": dict.fromkeys(both, 245760),
        "avail_bytes": dict.fromkeys(both, 204800),
        "files": dict.fromkeys(both, 1000),
        "files_free": dict.fromkeys(both, 900),
        "purgeable_bytes": dict.fromkeys(both, 0),
        "mount_info": {
            ("/dev/vda", "254", "0", "/"): 1,
            ("/dev/sdb1", "8", "17", "/mnt/two words\tab"): 1,
        },
    }
    assert sorted(asked) == [b"/", b"/mnt/two words\tab", b"/srv"]


def test_a_mount_twice_is_counted_and_asked_for_once(
    run: Run, asked: list[bytes]
) -> None:
    run(filesystem.COLLECTOR, where=HOST)
    assert asked.count(b"/srv") == 1


def test_rootfs_is_where_the_hosts_files_are(run: Run, asked: list[bytes]) -> None:
    where = Paths(procfs=str(FIXTURES / "proc"), rootfs="/host")
    found = rows(run(filesystem.COLLECTOR, where=where))
    assert ON_ROOT in found["size_bytes"]
    assert sorted(asked) == [b"/host/", b"/host/mnt/two words\tab", b"/host/srv"]


def mounted(tmp_path: Path, *lines: bytes) -> Paths:
    (tmp_path / "1").mkdir()
    (tmp_path / "1/mountinfo").write_bytes(b"\n".join(lines) + b"\n")
    return Paths(procfs=str(tmp_path), rootfs="/host")


def test_rootfs_is_taken_off_what_our_own_mounts_say(
    run: Run, asked: list[bytes], tmp_path: Path
) -> None:
    where = mounted(tmp_path, b"1 2 8:1 / /host/data rw - ext4 /dev/sda1 rw")
    found = rows(run(filesystem.COLLECTOR, where=where))
    assert list(found["size_bytes"]) == [("/dev/sda1", "/data", "ext4", "")]
    assert asked == [b"/host/data"]


def test_paths_that_are_not_utf8(run: Run, asked: list[bytes], tmp_path: Path) -> None:
    where = mounted(tmp_path, b"1 2 8:1 / /a\xff\xfeb rw - ext4 /dev/\xe4 rw")
    found = rows(run(filesystem.COLLECTOR, where=where))
    assert list(found["size_bytes"]) == [("/dev/\ufffd", "/a\ufffdb", "ext4", "")]
    assert asked == [b"/host/a\xff\xfeb"]


def test_mounts_on_top_of_each_other_are_exported_once(
    run: Run, asked: list[bytes], tmp_path: Path
) -> None:
    where = mounted(
        tmp_path,
        b"1 2 0:1 / /a rw - tmpfs tmpfs rw",
        b"3 2 0:2 / /a ro - tmpfs tmpfs ro",
    )
    found = rows(run(filesystem.COLLECTOR, where=where))
    assert found["readonly"] == {("tmpfs", "/a", "tmpfs", ""): 0}
    assert list(found["mount_info"]) == [("tmpfs", "0", n, "/a") for n in ("1", "2")]


def test_no_mount_left_gives_no_family(run: Run, tmp_path: Path) -> None:
    where = mounted(tmp_path, b"1 2 0:1 / /proc rw - proc proc rw")
    assert run(filesystem.COLLECTOR, where=where) == []


def test_a_nul_in_a_path_is_an_error_of_that_mount(run: Run, tmp_path: Path) -> None:
    where = mounted(tmp_path, rb"1 2 0:1 / /a\000b rw - ext4 x rw")
    found = rows(run(filesystem.COLLECTOR, where=where))
    assert found["device_error"] == {("x", r"/a\000b", "ext4", "invalid argument"): 1}


NAME = "--collector.filesystem."


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("mount-points-include=^/srv",), {"/srv"}),
        (("mount-points-exclude=^/(srv|mnt)",), {"/", "/proc", "/sys/fs/cgroup"}),
        (("ignored-mount-points=^/(srv|mnt)",), {"/", "/proc", "/sys/fs/cgroup"}),
        (("mount-points-include=^/srv", "mount-points-exclude="), {"/srv"}),
    ],
)
def test_mount_point_filters(
    flags: tuple[str, ...], expected: set[str], run: Run, asked: list[bytes]
) -> None:
    argv = [NAME + flag for flag in (*flags, "fs-types-exclude=")]
    found = rows(run(filesystem.COLLECTOR, *argv, where=HOST))
    assert {labels[1] for labels in found["device_error"]} == expected


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("fs-types-include=^nfs", {"nfs4"}),
        ("fs-types-exclude=^(nfs4|xfs)$", {"ext4", "proc", "cgroup2"}),
        ("ignored-fs-types=^(nfs4|xfs)$", {"ext4", "proc", "cgroup2"}),
    ],
)
def test_fs_type_filters(
    flag: str, expected: set[str], run: Run, asked: list[bytes]
) -> None:
    argv = [NAME + flag, NAME + "mount-points-exclude="]
    found = rows(run(filesystem.COLLECTOR, *argv, where=HOST))
    assert {labels[2] for labels in found["device_error"]} == expected


@pytest.mark.parametrize(
    ("first", "second", "problem"),
    [
        ("mount-points-exclude", "mount-points-include", "mount points"),
        ("ignored-mount-points", "mount-points-exclude", "mount points"),
        ("fs-types-exclude", "fs-types-include", "fs types"),
        ("ignored-fs-types", "fs-types-exclude", "fs types"),
    ],
)
def test_contradictions(first: str, second: str, problem: str, run: Run) -> None:
    expected = (
        f"unable to parse {problem} filter flags: --collector.filesystem.{first} and"
        f" --collector.filesystem.{second} are mutually exclusive"
    )
    with pytest.raises(StartError, match=expected):
        run(filesystem.COLLECTOR, f"{NAME}{first}=a", f"{NAME}{second}=a", where=HOST)


@pytest.mark.parametrize(
    ("flags", "patience_seconds"),
    [((NAME + "mount-timeout=100ms",), 60), ((NAME + "mount-timeout=60s",), 0.1)],
    ids=["its timeout", "the scraper's"],
)
def test_a_dead_mount_is_an_error_of_its_own(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    flags: tuple[str, ...],
    patience_seconds: float,
) -> None:
    revived = threading.Event()
    answer: Callable[[str], Usage] = lambda _: Usage(1, 1, 1, 1, 1)  # noqa: E731

    def read_usage(path: str) -> Usage:
        if path == "/srv":
            assert revived.wait(10)
        return answer(path)

    monkeypatch.setattr(filesystem, "read_usage", read_usage)
    with deadline.within(patience_seconds):
        found = rows(run(filesystem.COLLECTOR, *flags, where=HOST))
    revived.set()
    dead = ("nas:/export", "/srv", "nfs4", "mountpoint timeout")
    assert found["device_error"] == {ON_ROOT: 0, ON_WORDS: 0, dead: 1}
    assert found["readonly"][dead] == 1
    assert set(found["size_bytes"]) == {ON_ROOT, ON_WORDS}


def test_agrees_with_psutil(run: Run) -> None:
    found = rows(run(filesystem.COLLECTOR, where=Paths()))
    size = {labels[1]: value for labels, value in found["size_bytes"].items()}
    assert size["/"] == os.statvfs("/").f_blocks * os.statvfs("/").f_bsize
    assert size["/"] == pytest.approx(psutil.disk_usage("/").total)


# In a mount namespace of its own: others on this machine must not meet the dead mount.
PROGRAM = """
import ctypes, json, os, sys, time
from exporters.node.collectors import filesystem
from exporters.node.paths import Paths
from exporters.node.registry import Context
from exporters.toolkit.flags import Program
from pathlib import Path

place = Path(sys.argv[1])
(place / "dead").mkdir()
(place / "1").mkdir()
libc = ctypes.CDLL(None, use_errno=True)
device = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
if libc.mount(b"dead", bytes(place / "dead"), b"fuse", 0, options):
    sys.exit(77)
(place / "1/mountinfo").write_text(
    "1 2 8:1 / / rw - ext4 /dev/sda rw\\n"
    f"3 2 0:9 / {place}/dead rw - fuse dead rw\\n"
)
spec = filesystem.COLLECTOR
flags = ("--collector.filesystem.mount-timeout=500ms",)
values = Program("", "", spec.flags).parse(flags, {})
collect = spec.create(Context(Paths(procfs=str(place)), values))

def scrape():
    began = time.monotonic()
    families = {f.name: f for f in collect()}
    errors = families["node_filesystem_device_error"].samples
    sizes = families["node_filesystem_size_bytes"].samples
    return [
        {s.labels["device"]: s.labels["device_error"] for s in errors},
        [s.labels["device"] for s in sizes],
        time.monotonic() - began,
    ]

first, second = scrape(), scrape()
def threads_beside_this(most):
    until = time.monotonic() + 10
    while True:
        number = len(os.listdir("/proc/self/task")) - 1
        if number <= most or time.monotonic() > until:
            return number
        time.sleep(0.001)

hung = threads_beside_this(1)
os.close(device)  # the server dies, and with it what waits for it
threads_beside_this(0)
third = scrape()
print(json.dumps([first, second, third, hung]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
@pytest.mark.skipif(not os.path.exists("/dev/fuse"), reason="needs FUSE")
def test_a_real_fuse_mount_whose_server_never_answers(tmp_path: Path) -> None:
    command = ["unshare", "-m", sys.executable, "-c", PROGRAM, str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode == 77:
        pytest.skip("this kernel does not let us mount FUSE")
    assert done.returncode == 0, done.stderr
    first, second, third, hung = json.loads(done.stdout)
    assert first[:2] == [{"/dev/sda": "", "dead": "mountpoint timeout"}, ["/dev/sda"]]
    assert second[:2] == first[:2]
    assert first[2] < 5
    assert second[2] < 0.5  # known to be dead: not waited for
    assert hung == 1
    assert third[0] == {"/dev/sda": "", "dead": "transport endpoint is not connected"}
