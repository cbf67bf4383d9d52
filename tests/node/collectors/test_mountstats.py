from __future__ import annotations

from pathlib import Path

from exporters.node.collectors import mountstats
from tests.node.hosts import collect


HEAD = "    device {device} mounted on {point} with fstype nfs4 statvers=1.1\n"
XPRT = "    xprt: tcp 1 2 3 4 {idle} 6 7 8 9 10 11 12 13\n"
OPERATION = "    per-op statistics\n    READ: 1 2 3 4 5 {queue} 7 8\n"
MOUNTINFO = "proc/self/mountinfo: |\n" + "".join(
    f"    2{n} 1 0:5{n} / /m{n} rw - nfs4 h:/e rw,addr=10.0.0.{n}\n" for n in range(3)
)
INFO = "node_mountstats_nfs_mountpoint_info"
EXPORT = 'export="h:/e",protocol="tcp",mountaddr="10.0.0.{}"'


def mount(point: str, idle: int = 5, queue: int = 6) -> str:
    return (
        HEAD.format(device="h:/e", point=point)
        + XPRT.format(idle=idle)
        + OPERATION.format(queue=queue)
    )


def test_one_bad_mount_costs_only_itself(tmp_path: Path) -> None:
    bad = HEAD.format(device="h:/e", point="/m1") + "    age: x\n"
    host = f"proc/self/mountstats: |\n{mount('/m0')}{bad}{mount('/m2')}{MOUNTINFO}"
    seen = collect(mountstats.COLLECTOR, host, tmp_path)
    assert "mountstats: line 6 (age:): expected" in str(seen.error)
    found = [name for name in seen.values if name.startswith(INFO)]
    assert found == [f'{INFO}{{{EXPORT.format(n)},mountpoint="/m{n}"}}' for n in (0, 2)]


def test_mounts_without_an_address_still_count(tmp_path: Path) -> None:
    host = f"proc/self/mountstats: |\n{mount('/m0')}\nproc/self/mountinfo:\n"
    seen = collect(mountstats.COLLECTOR, host, tmp_path)
    assert seen.error is None
    labels = 'export="h:/e",protocol="tcp",mountaddr="",mountpoint="/m0"'
    assert seen.values[f"{INFO}{{{labels}}}"] == 1


def test_times_wrap_where_float64_stops_to_count(tmp_path: Path) -> None:
    stats = mount("/m0", idle=2**53 + 2, queue=2**64 - 1)
    seen = collect(
        mountstats.COLLECTOR, f"proc/self/mountstats: |\n{stats}{MOUNTINFO}", tmp_path
    )
    labels = EXPORT.format(0)
    name = "node_mountstats_nfs_transport_idle_time_seconds"
    assert seen.values[f'{name}{{{labels},transport="0"}}'] == 2
    name = "node_mountstats_nfs_operations_queue_time_seconds_total"
    queued = seen.values[f'{name}{{{labels},operation="READ"}}']
    assert queued == (2**53 - 1) / 1000


def test_no_file_is_an_error(tmp_path: Path) -> None:
    seen = collect(mountstats.COLLECTOR, "", tmp_path)
    assert isinstance(seen.error, FileNotFoundError)
