"""One service of compose.yaml in a container, under the options it has there."""

from __future__ import annotations

import re
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import yaml

from deploy.stack import images
from deploy.stack.settings import DEPLOY
from tests.e2e.stack import docker, need_engine


SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(
    (DEPLOY / "compose.yaml").read_text()
)["services"]


def stand_in(name: str) -> str:
    """Return the id of the stand-in *name*, which is built where it is missing."""
    need_engine()
    base = DEPLOY / "debian" / "base"
    if not images.up_to_date(images.BASE, base):
        images.build_base(base)
    folder = DEPLOY / "debian" / name
    image = f"local/{name}:{images.SUITE}"
    images.build(image, folder, folder, build_args={"BASE": images.BASE})
    return images.identity(image)


def options(service: str) -> list[str]:
    """Return what compose.yaml says of *service*, as options of `docker run`."""
    found = SERVICES[service]
    assert found["read_only"] is True
    return [
        f"--user={defaults(found['user'])}",
        "--read-only",
        *(f"--cap-drop={name}" for name in found["cap_drop"]),
        *(f"--security-opt={option}" for option in found["security_opt"]),
        *(f"--tmpfs={defaults(mount)}" for mount in found.get("tmpfs", [])),
    ]


def defaults(text: str) -> str:
    """Put the default of each variable of Compose in its place."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


@dataclass(frozen=True)
class Container:
    """A container of a test."""

    name: str

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it; return its exit code and what it wrote."""
        return subprocess.run(
            ["docker", "exec", self.name, *command],
            check=False,
            text=True,
            capture_output=True,
        )

    def logs(self) -> str:
        """Return what it wrote on both of its streams."""
        done = subprocess.run(
            ["docker", "logs", self.name], check=True, capture_output=True
        )
        return (done.stdout + done.stderr).decode()

    def inspect(self, template: str) -> str:
        """Return one value of `docker inspect`."""
        return docker("inspect", "-f", template, self.name).strip()

    def stop(self) -> int:
        """Stop it by its own signal and return its exit code."""
        docker("stop", "-t", "60", self.name)
        return int(self.inspect("{{.State.ExitCode}}"))

    def running(self) -> bool:
        """Whether its first process is there."""
        return self.inspect("{{.State.Running}}") == "true"


@contextmanager
def container(image: str, *arguments: str, command: str = "") -> Iterator[Container]:
    """Start *image* with *arguments* of `docker run`; remove it in the end."""
    one = Container(f"test-{uuid.uuid4().hex[:12]}")
    try:
        docker("run", "-d", "--name", one.name, *arguments, image, *command.split())
        yield one
    finally:
        subprocess.run(
            ["docker", "rm", "-f", "-v", one.name], check=False, capture_output=True
        )


@contextmanager
def volume() -> Iterator[str]:
    """Give a volume of one test."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    docker("volume", "create", name)
    try:
        yield name
    finally:
        subprocess.run(
            ["docker", "volume", "rm", name], check=False, capture_output=True
        )
