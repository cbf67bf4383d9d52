"""One kind of stack twice: switched to ours, and with the originals kept."""

from __future__ import annotations

import itertools
import shutil
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.drop_in.projects import (
    FOLDER,
    OURS,
    Container,
    Project,
    changed,
    of_this_host,
)


# Nothing but the program is in this original's image: who asks with wget asks in vain.
NEVER_HEALTHY = {("nginx/nginx-prometheus-exporter", "nginxexporter")}
VISITS = 20
HEALTHY_SECONDS = 120
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Side:
    """A stack as it runs, and where it can be asked."""

    project: Project
    originals: frozenset[str]

    @property
    def prometheus(self) -> str:
        """Return the address of its Prometheus."""
        return self.project.url("prometheus", 9090)

    @property
    def loki(self) -> str:
        """Return the address of its Loki."""
        return self.project.url("loki", 3100)

    def wait(self) -> None:
        """Wait until every container is as it should be."""
        deadline = time.monotonic() + HEALTHY_SECONDS
        while ailing := self.ailing():
            assert time.monotonic() < deadline, ailing
            time.sleep(0.5)

    def ailing(self) -> list[Container]:
        """Return the containers that do not run, or are not healthy."""
        return [
            container
            for container in self.project.containers().values()
            if container.state != "running"
            or container.health not in self._fine(container)
        ]

    def _fine(self, container: Container) -> set[str]:
        for repository, service in NEVER_HEALTHY:
            if repository in self.originals and service == container.service:
                return {"unhealthy"}
        return {"", "healthy"}

    def visit(self) -> list[str]:
        """Ask its nginx for pages that nobody asked for before; return their paths."""
        web = self.project.url(self.project.service("nginx"), 80)
        paths = [f"/?visit={next(_NUMBERS)}." for _ in range(VISITS)]
        for path in (*paths, "/missing"):
            try:
                urllib.request.urlopen(web + path, timeout=30).close()
            except urllib.error.HTTPError as error:
                error.close()  # a line in the log all the same
        return paths


@dataclass(frozen=True)
class Pair:
    """One kind of stack, with ours and, where they can be had, with the originals."""

    name: str
    ours: Side
    theirs: Side
    before: dict[str, Container]  # ours before the switch; empty without originals
    visited: list[str]  # some before the switch, some after

    def need(self, *repositories: str) -> Side:
        """Return the side of the originals, or skip where there is none of them."""
        missing = set(repositories) - self.theirs.originals
        if missing:
            pytest.skip(f"no original of {', '.join(sorted(missing))} here")
        return self.theirs


def prepare(folder: Path, images: dict[str, str]) -> Project:
    """Have the owner's folder, and what this host wants laid over his file."""
    shutil.copytree(FOLDER / folder.name, folder)
    owner = folder / "docker-compose.yml"
    (folder / "logs/nginx").mkdir(parents=True)
    (folder / "var-log").mkdir()
    (folder / "var-log/app.log").write_text("one\nan error\nthree\n")
    laid_over = of_this_host(owner.read_text(), images, folder / "var-log")
    (folder / "of-this-host.yaml").write_text(laid_over)
    return Project(f"dropin-{folder.name}", folder, owner)


def start(owner: Project, had: frozenset[str]) -> Pair:
    """Start what *owner* has, switch it, and have another one that stays as it was."""
    text = owner.file.read_text()
    lacking = {name: image for name, image in OURS.items() if name not in had}
    first, second = owner.folder / "first.yml", owner.folder / "second.yml"
    first.write_text(changed(text, lacking))
    second.write_text(changed(text))
    kept = Side(Project(f"{owner.name}-kept", owner.folder, first), had)
    before = Side(Project(owner.name, owner.folder, first), had)
    ours = Side(Project(owner.name, owner.folder, second), frozenset())
    visited: list[str] = []
    containers: dict[str, Container] = {}
    if had:
        kept.project.up()
        before.project.up()
        before.wait()
        visited = before.visit()
        containers = before.project.containers()
    ours.project.up()
    ours.wait()
    visited += ours.visit()
    if had:
        kept.wait()
        visited += kept.visit()
    return Pair(owner.folder.name, ours, kept, containers, visited)


def remove(owner: Project) -> None:
    """Remove the containers, volumes and networks of both sides."""
    for name in (owner.name, f"{owner.name}-kept"):
        Project(name, owner.folder, owner.file).down()
