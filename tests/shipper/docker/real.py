"""A real Docker Engine for tests: the machine's own, and private ones to restart."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from shipper.docker.engine import Engine
from shipper.docker.frames import Demuxer
from shipper.docker.host import DockerHost
from shipper.docker.ledger import Ledger
from shipper.docker.retry import Retry
from shipper.docker.supervisor import Supervisor
from shipper.docker.tailer import Settings
from shipper.pipeline.entry import Entry
from shipper.positions import Positions
from shipper.spool.volume import Volume

from .conftest import CountingMeters, MemorySink, name_and_stream


IMAGE = "local/busybox:test"
APPLETS = "sh cat echo sleep seq date printf yes head tail true kill tr awk"


@dataclass
class RealDocker:
    """A daemon and a label that tells the containers of one test from all others."""

    socket: str
    mark: str

    async def __call__(self, *args: str, check: bool = True) -> tuple[bytes, bytes]:
        """Run ``docker *args*``; return what it wrote to both streams."""
        environ = {**os.environ, "DOCKER_HOST": f"unix://{self.socket}"}
        environ.pop("DOCKER_CONTEXT", None)
        process = await asyncio.create_subprocess_exec(
            "docker",
            *args,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            out, err = await process.communicate()
        if check and process.returncode != 0:
            raise AssertionError(f"docker {' '.join(args)}: {err.decode()}")
        return out, err

    async def run(self, *options: str, script: str, network: str = "none") -> str:
        """Start a container in the background; return its id."""
        label = f"shipper-test={self.mark}"
        words = ["run", "-d", "--network", network, "--label", label, *options]
        out, _ = await self(*words, IMAGE, "sh", "-c", script)
        return out.decode().strip()

    async def wait(self, container_id: str) -> None:
        """Wait until a container has stopped."""
        await self("wait", container_id)

    async def kept(self, container_id: str, *, tty: bool = False) -> list[Entry]:
        """Return what ``docker logs -t`` shows, in the order of time."""
        out, err = await self("logs", "-t", container_id)
        entries = []
        for data in (out,) if tty else (out, err):
            demuxer = Demuxer(tty=True)
            entries += [entry for _, entry in demuxer.feed(data) + demuxer.flush()]
        return sorted(entries)


@contextmanager
def own_daemon() -> Iterator[RealDocker]:
    """Give the machine's daemon; its containers with our mark are removed after."""
    if shutil.which("docker") is None:
        pytest.skip("needs the docker command")
    socket = "/var/run/docker.sock"
    if subprocess.run(
        ["docker", "version"], capture_output=True, check=False
    ).returncode:
        pytest.skip("no Docker Engine answers")
    need_image(socket)
    docker = RealDocker(socket, uuid.uuid4().hex)
    try:
        yield docker
    finally:
        _remove_all(docker)


def _remove_all(docker: RealDocker) -> None:
    base = ["docker", "-H", f"unix://{docker.socket}"]
    label = f"label=shipper-test={docker.mark}"
    found = subprocess.run(
        [*base, "ps", "-aq", "--filter", label], capture_output=True, check=False
    )
    ids = found.stdout.decode().split()
    if ids:
        subprocess.run([*base, "rm", "-f", *ids], capture_output=True, check=False)


def need_image(socket: str) -> None:
    """Make the image of these tests where it is missing, from Debian's busybox."""
    base = ["docker", "-H", f"unix://{socket}"]
    look = subprocess.run(
        [*base, "image", "inspect", IMAGE], capture_output=True, check=False
    )
    if look.returncode == 0:
        return
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        try:
            busybox = _busybox(folder)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no busybox for an image: {error}")
        binaries = folder / "root" / "bin"
        binaries.mkdir(parents=True)
        shutil.copy(busybox, binaries / "busybox")
        for applet in APPLETS.split():
            (binaries / applet).symlink_to("busybox")
        archive = subprocess.run(
            ["tar", "-c", "-C", str(folder / "root"), "."],
            capture_output=True,
            check=True,
        )
        subprocess.run(
            [*base, "import", "-", IMAGE],
            input=archive.stdout,
            capture_output=True,
            check=True,
        )


def _busybox(folder: Path) -> Path:
    subprocess.run(
        ["apt-get", "download", "busybox-static"],
        cwd=folder,
        capture_output=True,
        check=True,
    )
    [package] = folder.glob("busybox-static*.deb")
    subprocess.run(["dpkg", "-x", str(package), str(folder / "deb")], check=True)
    return next(path for path in folder.glob("deb/**/bin/busybox") if path.is_file())


class PrivateDaemon:
    """A daemon of our own, in a network namespace of its own."""

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        self.socket = str(folder / "docker.sock")
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it, skipping the test with a reason where it cannot run."""
        for tool in ("docker", "dockerd", "unshare", "setsid", "ip"):
            if shutil.which(tool) is None:
                pytest.skip(f"a private dockerd needs {tool}")
        if os.geteuid() != 0:
            pytest.skip("a private dockerd needs root")
        folder = self._folder
        command = [
            "exec dockerd",
            f"--data-root {folder}/data --exec-root {folder}/exec",
            f"--pidfile {folder}/docker.pid -H unix://{self.socket}",
            "--bridge=none --iptables=false --ip-masq=false --ip-forward=false",
            *self._options,
        ]
        script = "ip link set lo up; " + " ".join(command)
        script += f" >>{folder}/dockerd.log 2>&1"
        self._process = await asyncio.to_thread(
            subprocess.Popen, ["setsid", "unshare", "-n", "sh", "-c", script]
        )
        async with asyncio.timeout(30):
            while not await self._answers():
                if self._process.poll() is not None:
                    tail = (folder / "dockerd.log").read_text()[-300:]
                    pytest.skip(f"a private dockerd cannot start here: {tail}")
                await asyncio.sleep(0.1)

    async def _answers(self) -> bool:
        look = await asyncio.create_subprocess_exec(
            "docker",
            "-H",
            f"unix://{self.socket}",
            "version",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return await look.wait() == 0

    async def stop(self) -> None:
        """Ask the process that was started here to end, and wait for that."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        await asyncio.to_thread(process.wait, 30)

    def clean(self) -> None:
        table = Path("/proc/mounts").read_text(encoding="utf-8")
        mounts = [line.split()[1] for line in table.splitlines()]
        for mount in sorted(mounts, reverse=True):
            if mount.startswith(str(self._folder)):
                subprocess.run(["umount", mount], capture_output=True, check=False)


@dataclass
class Shipper:
    """The Docker side of the shipper, whole, with a sink in memory."""

    supervisor: Supervisor
    sink: MemorySink
    meters: CountingMeters
    positions: Positions
    ledger: Ledger

    def entries(self, name: str | None = None) -> list[Entry]:
        """Return what was put, in the order of time, of one container or all."""
        return sorted(
            entry
            for labels, entry in self.sink.put_entries
            if name is None or dict(labels)["container_name"] == name
        )

    async def until_idle(self) -> None:
        """Wait until no log is open."""
        async with asyncio.timeout(30):
            while self.supervisor.tailers:  # noqa: ASYNC110  # the state has no event
                await asyncio.sleep(0.02)

    async def until_seen(self, count: int) -> None:
        await self.sink.wait_for(count, 30)


@asynccontextmanager
async def shipping(
    docker: RealDocker, folder: Path, sink: MemorySink | None = None
) -> AsyncIterator[Shipper]:
    """Read the containers of *docker*'s mark; stop without a last save."""
    sink = sink or MemorySink()
    meters = CountingMeters()
    positions = Positions(str(folder / "positions.yaml"))
    volume = Volume(str(folder / "spool"), 1 << 30)
    ledger = Ledger(positions, "job", volume)
    await ledger.open_spool()
    settings = Settings(name_and_stream, sink, meters, Retry(0.02, 0.5))
    engine = Engine(DockerHost(f"unix://{docker.socket}"))
    supervisor = Supervisor(
        engine,
        ledger,
        settings,
        filters={"label": [f"shipper-test={docker.mark}"]},
    )
    task = asyncio.create_task(supervisor.run())
    spool = asyncio.create_task(volume.run())
    async with asyncio.timeout(10):
        while not supervisor.reachable:  # noqa: ASYNC110  # the state has no event
            await asyncio.sleep(0.01)
    try:
        yield Shipper(supervisor, sink, meters, positions, ledger)
    finally:
        supervisor.stop_reading()
        await task
        spool.cancel()
        for queue in volume._queues.values():
            queue.close()
