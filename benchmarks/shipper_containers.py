"""Containers to ship the logs of, on this machine's Docker Engine, and what it costs.

The image is one static busybox, taken from this machine or from Debian's archive: no
registry is asked. Everything made here carries a label of its own and is removed after.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.process import BenchmarkError, LeftOutError, cpu_clock


SOCKET: Final = "/var/run/docker.sock"
PID_FILE: Final = Path("/var/run/docker.pid")
APPLETS: Final = ("sh", "awk", "echo", "sleep")
STARTS_AT_ONCE: Final = 4

# 125 bytes with the newline, no two the same, as long as there are under 10**8.
PLAIN: Final = (
    r'printf "172.18.0.%02d - - [26/Nov/2026:20:00:%02d +0000] \"GET /wp-content/'
    r'%08d.css HTTP/1.1\" 200 %05d \"-\" \"Mozilla/5.0 (X11; i686)\"\n",'
    r"i%90+10, i%60, i, i%99999"
)
# For a pipeline: the time is that of the line, one in ten is an error.
JSON: Final = (
    r'printf "{\"time\":\"2026-11-26T20:%02d:%02d.%06dZ\",\"level\":\"%s\",'
    r"\"app\":\"web\",\"path\":\"/posts/%08d/\",\"status\":%d,"
    r'\"msg\":\"has served\"}\n",'
    r'i/60000000, i/1000000%60, i%1000000, i%10?"info":"error", i, i%10?200:500'
)


class Docker:
    """The engine of this machine, and the containers made for one benchmark."""

    def __init__(self) -> None:
        """Name what will be made; nothing is made yet."""
        self.mark = f"benchmark-{uuid.uuid4().hex[:12]}"
        self.image = f"{self.mark}:local"

    def command(self, *arguments: str, data: bytes | None = None) -> str:
        """Return what ``docker *arguments*`` prints; raises BenchmarkError."""
        try:
            run = subprocess.run(
                ["docker", "-H", f"unix://{SOCKET}", *arguments],
                input=data,
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise BenchmarkError(f"docker: {error.strerror}") from error
        if run.returncode:
            text = run.stderr.decode(errors="replace").strip()
            raise BenchmarkError(f"docker {arguments[0]}: {text}")
        return run.stdout.decode().strip()

    def start(self, script: str, group: str) -> str:
        """Start a container that runs *script*; return its id."""
        words = ("--network=none", f"--label={self.mark}={group}", self.image)
        return self.command("run", "-d", *words, "sh", "-c", script)

    def start_idle(self, count: int) -> None:
        """Start *count* containers that log one line and then sleep."""
        script = "echo up; exec sleep 1000000"
        with ThreadPoolExecutor(STARTS_AT_ONCE) as pool:
            list(pool.map(lambda _: self.start(script, "idle"), range(count)))

    def write(self, lines: int, record: str, group: str) -> str:
        """Start a container and wait until it has logged *lines*; it runs on.

        promtail does not look at containers that have stopped.
        """
        container = self.start(writer(lines, record), group)
        last = f"{lines - 1:08}"
        while last not in self.command("logs", "--tail=1", container):
            time.sleep(0.2)
        return container

    def remove(self) -> None:
        """Remove the containers and the image."""
        found = self.command("ps", "-aq", "--filter", f"label={self.mark}").split()
        for first in range(0, len(found), 20):
            self.command("rm", "-f", "-v", *found[first : first + 20])
        self.command("rmi", self.image)


def writer(lines: int, record: str) -> str:
    """Return a script that logs *lines*, *record* of awk for each ``i``, and sleeps."""
    loop = f"awk 'BEGIN {{ for (i = 0; i < {lines}; i++) {record} }}'"
    return f"{loop}; exec sleep 1000000"


@contextmanager
def engine() -> Iterator[Docker]:
    """Give the engine with the image made; remove everything after."""
    docker = Docker()
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        folder = Path(name)
        root = folder / "root"
        _unpack(folder, root / "bin")
        tar = subprocess.run(
            ["tar", "-c", "-C", str(root), "."], capture_output=True, check=True
        )
        docker.command("import", "-", docker.image, data=tar.stdout)
    try:
        yield docker
    finally:
        docker.remove()


def _unpack(folder: Path, binaries: Path) -> None:
    """Put a static busybox and the names that it is called by into *binaries*."""
    binaries.mkdir(parents=True)
    shutil.copy(_busybox(folder), binaries / "busybox")
    for applet in APPLETS:
        (binaries / applet).symlink_to("busybox")


def _busybox(folder: Path) -> Path:
    commands: Sequence[Sequence[str]] = (
        ("apt-get", "-q", "download", "busybox-static"),
        ("sh", "-c", "dpkg -x busybox-static*.deb unpacked"),
    )
    try:
        for command in commands:
            subprocess.run(command, cwd=folder, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise LeftOutError(f"no busybox-static for an image: {error}") from error
    return next(
        path for path in folder.glob("unpacked/**/bin/busybox") if path.is_file()
    )


class DaemonClock(NamedTuple):
    """The CPU clock of dockerd alone; others may keep it busy, too."""

    clock: int

    @classmethod
    def find(cls) -> DaemonClock:
        """Return that of this machine's; raises BenchmarkError."""
        try:
            return cls(cpu_clock(int(PID_FILE.read_text())))
        except (OSError, ValueError) as error:
            raise BenchmarkError(f"{PID_FILE}: expected dockerd's: {error}") from error

    def seconds(self) -> float:
        """Return the CPU seconds that it has used."""
        return time.clock_gettime(self.clock)
