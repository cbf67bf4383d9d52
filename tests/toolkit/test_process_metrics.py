"""The metrics about the process itself."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

import psutil
import pytest

from exporters.toolkit import process_metrics
from exporters.toolkit.exposition import encode
from exporters.toolkit.process_metrics import Process


STAT = (
    b"7 (a) b (c)) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 1000 "
    b"9000000 321 18446744073709551615 0 0\n"
)
NETSTAT = b"""\
TcpExt: SyncookiesSent InOctets
TcpExt: 1 2
IpExt: InNoRoutes InOctets OutOctets
IpExt: 0 123 456
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder as /proc/self."""
    folder = tmp_path / "self"
    (folder / "net").mkdir(parents=True)
    (folder / "fd").mkdir()
    for number in range(3):
        (folder / "fd" / str(number)).touch()
    (folder / "stat").write_bytes(STAT)
    (folder / "net/netstat").write_bytes(NETSTAT)
    (tmp_path / "stat").write_bytes(b"cpu 1 2\nbtime 1700000000\n")
    return folder


def read(process: Process) -> dict[str, str]:
    lines = encode(process.collect()).decode().split("\n")
    return dict(line.split(" ") for line in lines if line and line[0] != "#")


def test_parse_stat_with_brackets_in_the_name() -> None:
    assert process_metrics.parse_stat(STAT) == (300, 1000, 9_000_000, 321)


def test_parse_octets() -> None:
    assert process_metrics.parse_octets(NETSTAT) == (123, 456)
    assert process_metrics.parse_octets(b"IpExt: A\nIpExt: 1\n") == (0, 0)
    assert process_metrics.parse_octets(b"") == (0, 0)
    assert process_metrics.parse_octets(None) is None


def test_parse_boot_time() -> None:
    parse = process_metrics.parse_boot_time
    assert parse(b"cpu 1 2\nbtime 1700000000\n") == 1_700_000_000
    assert parse(b"cpu 1 2\n") is None


def test_process_from_files(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {resource.RLIMIT_NOFILE: 1024, resource.RLIMIT_AS: resource.RLIM_INFINITY}
    monkeypatch.setattr(resource, "getrlimit", lambda limit: (limits[limit], 0))
    ticks = os.sysconf("SC_CLK_TCK")
    resident = 321 * os.sysconf("SC_PAGE_SIZE")
    values = read(Process(str(root), f"{root.parent}/stat"))
    assert float(values.pop("process_resident_memory_bytes")) == resident
    assert int(values.pop("process_open_fds")) == (root / "fd").stat().st_size
    assert values == {
        "process_cpu_seconds_total": f"{300 / ticks:g}",
        "process_max_fds": "1024",
        "process_network_receive_bytes_total": "123",
        "process_network_transmit_bytes_total": "456",
        "process_start_time_seconds": "1.70000001e+09",
        "process_virtual_memory_bytes": "9e+06",
        "process_virtual_memory_max_bytes": "1.8446744073709552e+19",
    }


def test_descriptors_are_counted_where_their_folder_has_no_size(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizeless = os.stat_result((0,) * 10)
    process = Process(str(root), f"{root.parent}/stat")
    monkeypatch.setattr(os, "stat", lambda _path: sizeless)
    families = list(process.collect())
    monkeypatch.undo()
    values = {family.name: family.values for family in families}
    assert values["process_open_fds"] == [3]


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    assert list(Process(str(tmp_path), str(tmp_path / "stat")).collect()) == []


def test_files_are_read_anew_at_each_scrape(root: Path) -> None:
    process = Process(str(root), f"{root.parent}/stat")
    assert read(process)["process_virtual_memory_bytes"] == "9e+06"
    (root / "stat").write_bytes(STAT.replace(b"9000000", b"7000000"))
    (root / "net/netstat").write_bytes(NETSTAT.replace(b"123", b"124"))
    values = read(process)
    assert values["process_virtual_memory_bytes"] == "7e+06"
    assert values["process_network_receive_bytes_total"] == "124"


def test_a_file_that_was_not_there_is_tried_again(root: Path) -> None:
    (root / "stat").unlink()
    process = Process(str(root), f"{root.parent}/stat")
    assert "process_virtual_memory_bytes" not in read(process)
    (root / "stat").write_bytes(STAT)
    assert read(process)["process_virtual_memory_bytes"] == "9e+06"


def test_boot_is_read_again_after_the_clock_was_set(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Process(str(root), f"{root.parent}/stat")
    now = time.time()
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    monkeypatch.setattr(time, "time", lambda: now)
    assert read(process)["process_start_time_seconds"] == "1.70000001e+09"
    (root.parent / "stat").write_bytes(b"btime 1700000090\n")
    assert read(process)["process_start_time_seconds"] == "1.70000001e+09"
    monkeypatch.setattr(time, "time", lambda: now + 90)
    assert read(process)["process_start_time_seconds"] == "1.7000001e+09"


def test_process_agrees_with_psutil() -> None:
    oracle = psutil.Process()
    read(process_metrics.own())  # its files are open from now on
    values = {m.name: m.samples[0].value for m in process_metrics.own().collect()}
    assert abs(values["process_start_time_seconds"] - oracle.create_time()) < 1.5
    assert 0.5 < values["process_resident_memory_bytes"] / oracle.memory_info().rss < 2
    assert abs(values["process_open_fds"] - oracle.num_fds()) <= 1
    limit = oracle.rlimit(psutil.RLIMIT_NOFILE)[0]
    assert values["process_max_fds"] == limit
    used = sum(oracle.cpu_times()[:2])
    assert abs(values["process_cpu_seconds"] - used) < 0.5
