"""The programs as plain processes, for a host without Docker (`make local`)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.stack import ports, report, values
from deploy.stack.settings import ROOT, Settings
from deploy.stack.shell import StackError, say


START_SECONDS = 15.0
STOP_SECONDS = 10.0
PORTS = {
    "LOKI_PORT": "3100",
    "NODE_EXPORTER_PORT": "9100",
    "PROMTAIL_PORT": "9080",
    "NGINX_EXPORTER_PORT": "9113",
}
STUB_STATUS = (
    "http://127.0.0.1:8080/stub_status",
    "http://127.0.0.1/stub_status",
    "http://127.0.0.1/nginx_status",
)


@dataclass(frozen=True, slots=True)
class Program:
    """One process: how it is started and where it answers."""

    name: str
    arguments: tuple[str, ...]
    port: int
    health: str
    shows: str

    @property
    def address(self) -> str:
        """The address for the person."""
        return f"http://127.0.0.1:{self.port}"


def up(settings: Settings, _rest: Sequence[str]) -> None:
    """Start each program that is not running yet and print where it answers."""
    values.check(settings)
    folder = settings.state / "local"
    folder.mkdir(parents=True, exist_ok=True)
    programs = wanted(settings, folder)
    for program in programs:
        if running(folder, program.name) is None:
            start(folder, program)
    for program in programs:
        wait_until_up(folder, program)
    say("running as plain processes:")
    report.show([(f"{p.address}{p.health}", p.shows) for p in programs])
    say(f"their logs are in {folder}; `make down` stops them")


def wanted(settings: Settings, folder: Path) -> list[Program]:
    """Return the programs that have something to do on this host."""
    numbers = {name: int(settings.values.get(name, PORTS[name])) for name in PORTS}
    database = f"--storage.path={folder / 'store.db'}"
    config = write_config(settings, folder, numbers)
    programs = [
        Program(
            "store",
            ("shipper.store", database),
            numbers["LOKI_PORT"],
            "/loki/api/v1/labels",
            "the embedded log store, with Loki's API",
        ),
        Program(
            "node",
            ("exporters.node",),
            numbers["NODE_EXPORTER_PORT"],
            "/metrics",
            "metrics of this host",
        ),
        Program(
            "shipper",
            ("shipper", f"-config.file={config}"),
            numbers["PROMTAIL_PORT"],
            "/targets",
            f"{logs(settings)} of this host on their way to the store",
        ),
    ]
    if uri := answering_nginx():
        programs.append(
            Program(
                "nginx",
                ("exporters.nginx", f"--nginx.scrape-uri={uri}"),
                numbers["NGINX_EXPORTER_PORT"],
                "/metrics",
                f"metrics of the nginx at {uri}",
            )
        )
    else:
        say(f"no nginx answers with stub_status ({', '.join(STUB_STATUS)}): left out")
    return programs


def logs(settings: Settings) -> str:
    """Return the glob of the log files that are shipped."""
    return settings.values.get("LOCAL_LOGS", "/var/log/**/*.log")


def answering_nginx() -> str | None:
    """Return the first address where an nginx on this host shows stub_status."""
    for uri in STUB_STATUS:
        try:
            with urllib.request.urlopen(uri, timeout=2) as answer:  # noqa: S310 fixed
                if answer.read(64).startswith(b"Active connections:"):
                    return uri
        except (OSError, ValueError):
            continue
    return None


def write_config(settings: Settings, folder: Path, ports: dict[str, int]) -> Path:
    """Write the shipper's configuration: this host's log files to the local store."""
    push = f"http://127.0.0.1:{ports['LOKI_PORT']}/loki/api/v1/push"
    labels = {"job": "varlogs", "__path__": logs(settings)}
    config = {
        "server": {
            "http_listen_address": "127.0.0.1",
            "http_listen_port": ports["PROMTAIL_PORT"],
        },
        "positions": {"filename": str(folder / "positions.yaml")},
        "clients": [{"url": push}],
        "scrape_configs": [
            {
                "job_name": "host",
                "static_configs": [{"targets": ["localhost"], "labels": labels}],
            }
        ],
    }
    path = folder / "shipper.yaml"
    path.write_text(json.dumps(config, indent=2) + "\n")  # JSON is YAML
    return path


def start(folder: Path, program: Program) -> None:
    """Start *program* in a session of its own and note its process id."""
    variables = " or ".join(PORTS)
    # Another program there would answer in place of this one.
    ports.check("127.0.0.1", program.port, f"{program.name} needs it: set {variables}")
    say(f"starting {program.name}")
    command = [sys.executable, "-m", *program.arguments]
    if program.name != "shipper":
        command.append(f"--web.listen-address=127.0.0.1:{program.port}")
    with (folder / f"{program.name}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    note = f"{process.pid} {birth(process.pid)}\n"
    (folder / f"{program.name}.pid").write_text(note)


def wait_until_up(folder: Path, program: Program) -> None:
    """Return when *program* answers; raise when it ended or stays silent."""
    deadline = time.monotonic() + START_SECONDS
    while not answers(program):
        log = folder / f"{program.name}.log"
        if running(folder, program.name) is None:
            lines = log.read_text(errors="replace").strip().splitlines()
            raise StackError(f"{program.name} ended: {lines[-1] if lines else log}")
        if time.monotonic() > deadline:
            raise StackError(f"{program.name} does not answer, see {log}")
        time.sleep(0.1)


def answers(program: Program) -> bool:
    """Whether *program* answers HTTP at its port."""
    try:
        urllib.request.urlopen(program.address + program.health, timeout=2).close()  # noqa: S310 fixed
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def down(settings: Settings, _rest: Sequence[str]) -> None:
    """Stop every program that `up` started, and nothing else."""
    folder = settings.state / "local"
    names = [path.stem for path in sorted(folder.glob("*.pid"))]
    stopping = {name: pid for name in names if (pid := running(folder, name))}
    for name, pid in stopping.items():
        say(f"stopping {name}")
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while any(running(folder, name) for name in stopping):
        if time.monotonic() > deadline:
            raise StackError(f"still running: {', '.join(stopping)}; see {folder}")
        time.sleep(0.1)
    for name in names:
        (folder / f"{name}.pid").unlink()


def status(settings: Settings, _rest: Sequence[str]) -> None:
    """Show which programs run as plain processes."""
    folder = settings.state / "local"
    for path in sorted(folder.glob("*.pid")):
        pid = running(folder, path.stem)
        print(f"    {path.stem}: {f'running, process {pid}' if pid else 'not running'}")


def running(folder: Path, name: str) -> int | None:
    """Return the process id of *name* while that very process runs."""
    try:
        pid, born = (folder / f"{name}.pid").read_text().split()
    except (OSError, ValueError):
        return None
    return int(pid) if birth(int(pid)) == born else None


def birth(pid: int) -> str:
    """Return the start time of a live process: its id alone may be taken again."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "ended"
    return "ended" if fields[0] == "Z" else fields[19]
