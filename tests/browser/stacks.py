"""What a browser has to know about one running stack."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deploy.stack import images, settings
from tests.browser.chromium import Place
from tests.e2e.stack import Stack, docker


INSIDE = {
    "promtail": "http://promtail:9080",
    "node-exporter": "http://node-exporter:9100",
    "nginx-exporter": "http://nginx-exporter:9113",
    "loki": "http://loki:3100",
}
LABEL = "com.docker.compose"


@dataclass(frozen=True)
class Known:
    """A running stack, its names, and what of it runs and is published."""

    stack: Stack
    project: str
    prefix: str
    services: frozenset[str]
    published: Mapping[str, str]
    offline: bool

    @classmethod
    def of(cls, stack: Stack) -> Known:
        """Ask its settings and the Engine."""
        found = settings.load(stack.folder / ".env", stack.folder / "state")
        project = found.values["COMPOSE_PROJECT_NAME"]
        ids = docker("ps", "--quiet", f"--filter=label={LABEL}.project={project}")
        containers = json.loads(docker("inspect", *ids.split()))
        return cls(
            stack,
            project,
            found.values["NAME_PREFIX"],
            frozenset(map(service, containers)),
            dict(published(containers)),
            images.remembered(found).offline,
        )

    def home(self, port: str) -> str:
        """Return the published address behind the variable *port*."""
        return self.stack.url(port, "")

    def password(self, name: str) -> str:
        """Return one of the passwords that the stack was started with."""
        return (self.stack.folder / ".secrets" / name).read_text().strip()

    @property
    def place(self) -> Place:
        """Where Prometheus stands too, and all pages are found."""
        return Place(f"{self.prefix}monitoring", self.published, INSIDE.values())


def service(container: Mapping[str, Any]) -> str:
    """Return the service of Compose that *container* is of."""
    return str(container["Config"]["Labels"][f"{LABEL}.service"])


def published(containers: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield each address on the host, and the service and port that are behind it."""
    for container in containers:
        for inner, outer in container["NetworkSettings"]["Ports"].items():
            for binding in outer or ():
                address = f"{binding['HostIp']}:{binding['HostPort']}"
                yield address, f"{service(container)}:{inner.partition('/')[0]}"
