"""What runs against what: the commands, the interpreter, and an nginx to ask."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import Contender, Pair
from benchmarks.process import BenchmarkError, LeftOutError, started
from benchmarks.scrape import first_answer, free_ports


ROOT = Path(__file__).parents[1]
LISTEN = "--web.listen-address=127.0.0.1:{port}"
# All that the programs get of our environment. They would read flags, GOGC or PYTHON*
# from others, and nginx takes NGINX for the sockets that it inherits in a binary
# upgrade (ngx_add_inherited_sockets).
INHERITED = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "TMPDIR")

_COLLECTOR = re.compile(
    r"--(?:\[no-\])?collector\.([a-z0-9_-]+)\s+Enable the \1 collector\s+"
    r"\(default:\s+(enabled|disabled)\)"
)

_VERSION = re.compile(r"version[ =]\s*v?(\d+\.\d+[.\d]*)")

NGINX_CONF = """
daemon off; worker_processes 1; pid {prefix}/nginx.pid;
error_log {prefix}/error.log notice;
events {{ worker_connections 1024; }}
http {{
    access_log off; keepalive_requests 1000000;
    client_body_temp_path {prefix}/body; proxy_temp_path {prefix}/proxy;
    fastcgi_temp_path {prefix}/fastcgi; uwsgi_temp_path {prefix}/uwsgi;
    scgi_temp_path {prefix}/scgi;
    server {{
        {listen}
        location = /stub_status {{ stub_status; }}
    }}
}}
"""


class Interpreter(NamedTuple):
    """A Python that can run ours; *why* says why this one."""

    path: str
    version: str
    why: str


def original(variable: str) -> str:
    """Return the program in $*variable*.

    Raises LeftOutError where it names none, BenchmarkError where that is no program.
    """
    path = os.environ.get(variable, "")
    problem = (
        f"${variable}: expected a program, got {path!r}; `make bench` unpacks Debian's "
        "and sets it"
    )
    if not path:
        raise LeftOutError(problem)
    if not os.access(path, os.X_OK):
        raise BenchmarkError(problem)
    return path


class Peer(NamedTuple):
    """An original to compare with."""

    path: str
    name: str
    version: str


def peers(name: str, *variables: str) -> list[Peer]:
    """Return the programs that *variables* name, called *name* and their version.

    The first is the one to have: raises LeftOutError where none of all is named.
    """
    named = [variable for variable in variables if os.environ.get(variable)]
    paths = [original(variable) for variable in named or variables[:1]]
    return [peer(name, path) for path in paths]


def peer(name: str, path: str) -> Peer:
    """Return the program at *path*, called *name* and the version that it says."""
    line = version_line(path)
    found = _VERSION.search(line)
    return Peer(path, f"{name} {found[1]}" if found else name, line)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a program: little of ours, and *extra*."""
    mine = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return mine | dict(extra or {})


def interpreter() -> Interpreter:
    """Return the distribution's Python of this version where there is one, else this.

    Debian builds with profile-guided optimisation, as the images of ``python:`` do; a
    pyenv build without it is a quarter slower, and nobody deploys one.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    path = f"/usr/bin/python{version}"
    probe = [path, "-c", "import aiohttp, sys; print(sys.version.split()[0])"]
    try:
        found = subprocess.run(
            probe, env=python_path(), check=True, capture_output=True, text=True
        )
    except (OSError, subprocess.CalledProcessError):
        own = sys.version.split()[0]
        return Interpreter(sys.executable, own, f"there is no usable {path}")
    return Interpreter(path, found.stdout.strip(), "the distribution's")


def python_path() -> dict[str, str]:
    """Return the environment in which any Python finds ours and what ours needs."""
    paths = (str(ROOT), sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    return environment({"PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))})


def version_line(program: str) -> str:
    """Return the first line of *program* --version; Go's go to either stream."""
    run = subprocess.run(
        [program, "--version"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env=environment(),
    )
    return run.stdout.partition("\n")[0]


def collectors(help_text: str) -> dict[str, bool]:
    """Return the collectors that ``--help`` lists, and which are on by default."""
    found = _COLLECTOR.findall(help_text)
    return {name: default == "enabled" for name, default in found}


def node_pair(python: Interpreter, theirs: str) -> tuple[Pair, str]:
    """Return both node exporters with the same collectors, and the names of those.

    They are ours that are on by default, as far as *theirs* knows them: it would
    otherwise be charged for the collectors that only it has.
    """
    ours = (python.path, "-m", "exporters.node")
    known = collectors(_help((theirs,)))
    wanted = [
        name for name, on in collectors(_help(ours)).items() if on and name in known
    ]
    if not wanted:
        raise BenchmarkError("--help: expected collectors that both know, found none")
    flags = (
        LISTEN,
        "--collector.disable-defaults",
        *(f"--collector.{name}" for name in wanted),
    )
    pair = Pair(
        Contender((*ours, *flags), python_path()),
        Contender((theirs, *flags), environment()),
    )
    return pair, f"{len(wanted)} collectors: {' '.join(wanted)}"


def _help(command: tuple[str, ...]) -> str:
    run = subprocess.run(
        [*command, "--help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env=python_path(),
    )
    return run.stdout


def nginx_pair(python: Interpreter, theirs: str, ports: Sequence[int]) -> Pair:
    """Return both nginx exporters, asking the nginx on each of *ports*."""
    uris = [f"--nginx.scrape-uri=http://127.0.0.1:{port}/stub_status" for port in ports]
    ours = (python.path, "-m", "exporters.nginx", LISTEN, *uris)
    return Pair(
        Contender(ours, python_path()),
        Contender((theirs, LISTEN, *uris), environment()),
    )


@contextmanager
def running_nginx(folder: Path, number: int = 1) -> Iterator[list[int]]:
    """Run an nginx with all its files in *folder*; yield its *number* ports."""
    program, ports = original("NGINX"), free_ports(number)
    prefix = folder / "nginx"
    prefix.mkdir(exist_ok=True)
    conf = prefix / "nginx.conf"
    listen = " ".join(f"listen 127.0.0.1:{port};" for port in ports)
    conf.write_text(NGINX_CONF.format(prefix=prefix, listen=listen))
    errors = str(prefix / "error.log")
    command = [program, "-p", str(prefix), "-c", str(conf), "-e", errors]
    with started(command, environment(), folder) as running:
        first_answer(running, ports[-1], "/stub_status")
        yield ports
