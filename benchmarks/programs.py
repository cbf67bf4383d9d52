"""What runs against what: the commands, the interpreter, and an nginx to ask."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import Contender, Pair
from benchmarks.process import BenchmarkError, started
from benchmarks.scrape import first_answer, free_port


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

NGINX_CONF = """
daemon off; worker_processes 1; pid {prefix}/nginx.pid;
error_log {prefix}/error.log notice;
events {{ worker_connections 64; }}
http {{
    access_log off; keepalive_requests 1000000;
    client_body_temp_path {prefix}/body; proxy_temp_path {prefix}/proxy;
    fastcgi_temp_path {prefix}/fastcgi; uwsgi_temp_path {prefix}/uwsgi;
    scgi_temp_path {prefix}/scgi;
    server {{
        listen 127.0.0.1:{port};
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
    """Return the program in $*variable*; raises BenchmarkError, saying what to do."""
    path = os.environ.get(variable, "")
    if not path or not os.access(path, os.X_OK):
        raise BenchmarkError(
            f"${variable}: expected a program, got {path!r}; `make bench` unpacks "
            "Debian's and sets it"
        )
    return path


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


def node_pair(python: Interpreter) -> tuple[Pair, str]:
    """Return both node exporters with the same collectors, and the names of those.

    They are ours that are on by default, as far as the original knows them: it would
    otherwise be charged for the collectors that only it has.
    """
    ours = (python.path, "-m", "exporters.node")
    theirs = original("NODE_EXPORTER")
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


def nginx_pair(python: Interpreter, nginx_port: int) -> Pair:
    """Return both nginx exporters, asking the nginx on *nginx_port*."""
    uri = f"--nginx.scrape-uri=http://127.0.0.1:{nginx_port}/stub_status"
    theirs = original("NGINX_EXPORTER")
    return Pair(
        Contender((python.path, "-m", "exporters.nginx", LISTEN, uri), python_path()),
        Contender((theirs, LISTEN, uri), environment()),
    )


@contextmanager
def running_nginx(folder: Path) -> Iterator[int]:
    """Run an nginx with all its files in *folder*; yield its port."""
    program, port = original("NGINX"), free_port()
    prefix = folder / "nginx"
    prefix.mkdir()
    conf = prefix / "nginx.conf"
    conf.write_text(NGINX_CONF.format(prefix=prefix, port=port))
    errors = str(prefix / "error.log")
    command = [program, "-p", str(prefix), "-c", str(conf), "-e", errors]
    with started(command, environment(), folder) as running:
        first_answer(running, port, "/stub_status")
        yield port
