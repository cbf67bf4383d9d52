from __future__ import annotations

import os
from pathlib import Path

import psutil

from exporters.toolkit import selfmetrics
from exporters.toolkit.exposition import encode


STAT = (
    b"7 (a) b (c)) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 1000 "
    b"9000000 321 18446744073709551615 0 0\n"
)
LIMITS = b"""\
Limit                     Soft Limit           Hard Limit           Units     \n\
Max cpu time              unlimited            unlimited            seconds   \n\
Max open files            1024                 524288               files     \n\
Max address space         unlimited            unlimited            bytes     \n\
"""
NETSTAT = b"""\
TcpExt: SyncookiesSent InOctets
TcpExt: 1 2
IpExt: InNoRoutes InOctets OutOctets
IpExt: 0 123 456
"""


def test_parse_stat_with_brackets_in_the_name() -> None:
    assert selfmetrics.parse_stat(STAT) == (300, 1000, 9_000_000, 321)


def test_parse_limits() -> None:
    limits = selfmetrics.parse_limits(LIMITS)
    assert limits["Max open files"] == 1024
    assert limits["Max address space"] == float(2**64 - 1)
    assert selfmetrics.parse_limits(b"") == {}


def test_parse_octets() -> None:
    assert selfmetrics.parse_octets(NETSTAT) == (123, 456)
    assert selfmetrics.parse_octets(b"IpExt: A\nIpExt: 1\n") == (0, 0)
    assert selfmetrics.parse_octets(b"") == (0, 0)
    assert selfmetrics.parse_octets(None) is None


def test_parse_boot_time() -> None:
    assert selfmetrics.parse_boot_time(b"cpu 1 2\nbtime 1700000000\n") == 1_700_000_000
    assert selfmetrics.parse_boot_time(b"cpu 1 2\n") is None


def test_process_from_files(tmp_path: Path) -> None:
    root = tmp_path / "self"
    (root / "net").mkdir(parents=True)
    (root / "fd").mkdir()
    for number in range(3):
        (root / "fd" / str(number)).touch()
    (root / "stat").write_bytes(STAT)
    (root / "limits").write_bytes(LIMITS)
    (root / "net/netstat").write_bytes(NETSTAT)
    boot = tmp_path / "stat"
    boot.write_bytes(b"btime 1700000000\n")
    ticks = os.sysconf("SC_CLK_TCK")
    text = encode(selfmetrics.process(str(root), str(boot))).decode()
    values = dict(
        line.split(" ") for line in text.split("\n") if line and line[0] != "#"
    )
    assert values == {
        "process_cpu_seconds_total": f"{300 / ticks:g}",
        "process_max_fds": "1024",
        "process_network_receive_bytes_total": "123",
        "process_network_transmit_bytes_total": "456",
        "process_open_fds": "3",
        "process_resident_memory_bytes": "1.314816e+06",
        "process_start_time_seconds": "1.70000001e+09",
        "process_virtual_memory_bytes": "9e+06",
        "process_virtual_memory_max_bytes": "1.8446744073709552e+19",
    }


def test_process_leaves_out_what_cannot_be_read(tmp_path: Path) -> None:
    assert list(selfmetrics.process(str(tmp_path), str(tmp_path / "stat"))) == []


def test_process_agrees_with_psutil() -> None:
    values = {m.name: m.samples[0].value for m in selfmetrics.process()}
    oracle = psutil.Process()
    assert abs(values["process_start_time_seconds"] - oracle.create_time()) < 1.5
    assert 0.5 < values["process_resident_memory_bytes"] / oracle.memory_info().rss < 2
    limit = oracle.rlimit(psutil.RLIMIT_NOFILE)[0]
    assert values["process_max_fds"] == limit


def test_build_info() -> None:
    text = encode([selfmetrics.build_info("node_exporter")]).decode()
    assert text.startswith(
        "# HELP node_exporter_build_info A metric with a constant '1' value labeled by "
        "version, revision, branch, goversion from which node_exporter was built, and "
        "the goos and goarch for the build.\n"
        "# TYPE node_exporter_build_info gauge\n"
        'node_exporter_build_info{branch="",goarch="',
    )
    assert text.endswith('"} 1\n')


def test_handler_counters() -> None:
    metrics = selfmetrics.HandlerMetrics()
    with metrics.request():
        metrics.count(200)
        metrics.count(404)
        metrics.count_error("gathering")
        lines = encode(metrics.collect()).decode().split("\n")
    assert [line for line in lines if line and line[0] != "#"] == [
        'promhttp_metric_handler_errors_total{cause="encoding"} 0',
        'promhttp_metric_handler_errors_total{cause="gathering"} 1',
        "promhttp_metric_handler_requests_in_flight 1",
        'promhttp_metric_handler_requests_total{code="200"} 1',
        'promhttp_metric_handler_requests_total{code="404"} 1',
        'promhttp_metric_handler_requests_total{code="500"} 0',
        'promhttp_metric_handler_requests_total{code="503"} 0',
    ]
    assert metrics.in_flight == 0
