"""How fast a container's log can be read at all: the physical limit of a shipper."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from typing import Final, NamedTuple

from benchmarks.process import BenchmarkError
from benchmarks.shipper_containers import SOCKET, DaemonClock


READ_BYTES: Final = 256 * 1024
END: Final = b"0\r\n\r\n"
"""The last chunk of a chunked body."""


class Read(NamedTuple):
    """One reading of a log: seconds on the clock, of our CPU and of the daemon's."""

    wall: float
    cpu: float
    daemon: float


def bare(container: str) -> Read:
    """Read the log of *container* from the socket, and look at nothing."""
    daemon = DaemonClock.find()
    path = f"/containers/{container}/logs?stdout=1&timestamps=1"
    began, cpu, engine = time.perf_counter(), time.thread_time(), daemon.seconds()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(SOCKET)
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: docker\r\n\r\n".encode())
        tail = data = connection.recv(READ_BYTES)
        if not data.startswith(b"HTTP/1.1 200 "):
            raise BenchmarkError(f"GET {path}: expected 200, got {data[:80]!r}")
        while not tail.endswith(END):
            data = connection.recv(READ_BYTES)
            if not data:
                raise BenchmarkError(f"GET {path}: it ended in the middle")
            tail = tail[-len(END) :] + data
    return Read(
        time.perf_counter() - began,
        time.thread_time() - cpu,
        daemon.seconds() - engine,
    )


def docker_logs(container: str) -> Read:
    """Have ``docker logs`` read the log, into nothing."""
    daemon = DaemonClock.find()
    command = ["docker", "-H", f"unix://{SOCKET}", "logs", "-t", container]
    began, engine = time.perf_counter(), daemon.seconds()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise BenchmarkError(f"docker logs: ended with {process.returncode}")
    wall = time.perf_counter() - began
    return Read(wall, used.ru_utime + used.ru_stime, daemon.seconds() - engine)
