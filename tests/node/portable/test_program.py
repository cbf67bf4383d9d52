"""The program off Linux: which modules it may need, and the whole of it by force."""

from __future__ import annotations

import subprocess
import sys

from tests.node.test_cli import DEADLINE_SECONDS, ROOT, started


# A system without what only Linux, or only POSIX, has. The libraries of others are
# imported before: they take care of themselves. psutil is a stand-in: the one of this
# machine is for Linux.
ELSEWHERE = """
import os, platform, signal, socket, sys, types
import aiohttp.web, prometheus_client

class Missing:
    names = {"fcntl", "resource", "pwd", "grp", "termios", "spwd", "syslog"}
    def find_spec(self, name, path=None, target=None):
        if name in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
for name in Missing.names:
    sys.modules.pop(name, None)
for module, names in {
    os: "geteuid getuid sysconf statvfs getloadavg uname O_CLOEXEC O_NONBLOCK "
        "O_DIRECTORY sched_getaffinity",
    socket: "AF_NETLINK AF_UNIX AF_VSOCK AF_PACKET",
    signal: "SIGHUP",
}.items():
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
platform.system = lambda: "Windows"
sys.platform = "win32"
sys.modules["psutil"] = types.ModuleType("psutil")
"""
IMPORTS = """
from exporters.node import backend, cli
assert backend.BACKEND.default == "portable"
specs = backend.portable()
program = cli.program(specs)
values = program.parse((), {})
assert cli.paths_of(values).rootfs == "/"
print(*(spec.name for spec in specs))
"""
ON_LINUX = """
import sys
from exporters.node import cli
cli.main(["--collector.disable-defaults", "--check", "--web.listen-address=[::1]:0"])
print([name for name in sys.modules if "psutil" in name or "portable" in name])
"""


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        timeout=DEADLINE_SECONDS,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_of_linux_is_needed_to_import_the_program() -> None:
    names = python(ELSEWHERE + IMPORTS).split()
    assert set(names) >= {
        *("boottime", "cpu", "diskstats", "filesystem", "loadavg", "meminfo"),
        *("netdev", "textfile", "time", "uname"),
    }


def test_on_linux_psutil_is_not_imported() -> None:
    assert python(ON_LINUX).splitlines()[-1] == "[]"


def test_the_whole_program_by_force() -> None:
    with started("-m", "exporters.node", "--collector.backend=portable") as node:
        status, body = node.get("/metrics")
    assert status == 200
    for name in ("cpu", "filesystem", "meminfo", "netdev", "textfile", "uname"):
        assert f'node_scrape_collector_success{{collector="{name}"}} 1' in body
    for name in (
        "node_cpu_seconds_total",
        "node_boot_time_seconds",
        "node_time_seconds",
    ):
        assert f"# TYPE {name} " in body
    assert 'collector="vmstat"' not in body


def test_the_check_of_it() -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "exporters.node", "--collector.backend=portable"),
            *("--check", "--path.procfs=/nowhere", "--web.listen-address=127.0.0.1:0"),
        ],
        cwd=ROOT,
        capture_output=True,
        timeout=DEADLINE_SECONDS,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "Nothing is wrong.\n")
