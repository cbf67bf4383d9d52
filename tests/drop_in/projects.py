"""Compose projects as their owners have them, each run beside others on one host.

The owner's file stays as it is. What a second file lays over it is of this host alone:
names and ports that are free, images that can be had, and what has none left out.
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy.stack.compose import binary
from deploy.stack.images import STORE


FOLDER = Path(__file__).parent
NAMES = ("dockprom", "gpnc", "wordpress")

OURS = {
    "prom/node-exporter": "monitoring-exporters/node:local",
    "nginx/nginx-prometheus-exporter": "monitoring-exporters/nginx:local",
    "grafana/promtail": "monitoring-exporters/shipper:local",
}
IMAGE = re.compile(r"^( +image: )([^:\s]+)(:\S+)?$", re.MULTILINE)

# What stands in for the other images, by the names that deploy.stack gives them.
STAND_INS = {
    "grafana/loki": "LOKI_IMAGE",
    "mysql": "MYSQL_IMAGE",
    "nginx": "NGINX_IMAGE",
    "prom/prometheus": "PROMETHEUS_IMAGE",
    "python": "PYTHON_IMAGE",
    "wordpress": "WORDPRESS_IMAGE",
}
# No Debian package has these, or no image is made of it; none feeds what is compared.
LEFT_OUT = {
    "gcr.io/cadvisor/cadvisor",
    "grafana/grafana",
    "prom/alertmanager",
    "prom/pushgateway",
}
PUBLISHED = {"prom/prometheus": 9090, "grafana/loki": 3100, "nginx": 80}


def changed(text: str, names: dict[str, str] | None = None) -> str:
    """Return the compose file *text* with the images that *names* replaces."""
    replaced = OURS if names is None else names

    def line(match: re.Match[str]) -> str:
        return match[1] + replaced[match[2]] if match[2] in replaced else match[0]

    return IMAGE.sub(line, text)


@dataclass(frozen=True)
class Container:
    """What Compose says of one container of a project."""

    id: str
    service: str
    image: str
    state: str
    health: str


@dataclass(frozen=True)
class Project:
    """One owner's stack: his folder, his compose file, and a name of its own."""

    name: str
    folder: Path
    file: Path

    def compose(self, *arguments: str) -> str:
        """Run one Compose command; return its standard output."""
        command = [
            binary(), f"--project-name={self.name}",
            f"--project-directory={self.folder}",
            f"--file={self.file}", f"--file={self.folder}/of-this-host.yaml",
            *arguments,
        ]  # fmt: skip
        done = subprocess.run(command, check=False, text=True, capture_output=True)
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def up(self) -> None:
        """Start it, or what changed of it, as its owner does."""
        self.compose("up", "--detach", "--no-build", "--pull=never")

    def down(self) -> None:
        """Remove it with its data."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout=0")

    def containers(self) -> dict[str, Container]:
        """Return the containers by service."""
        text = self.compose("ps", "--all", "--no-trunc", "--format=json")
        rows = map(json.loads, text.splitlines())
        return {
            row["Service"]: Container(
                row["ID"], row["Service"], row["Image"], row["State"], row["Health"]
            )
            for row in rows
        }

    def url(self, service: str, port: int) -> str:
        """Return the address on the loopback at which *port* is published."""
        return f"http://{self.compose('port', service, str(port)).strip()}"

    def service(self, repository: str) -> str:
        """Return the name of the service that runs an image of *repository*."""
        owner = yaml.safe_load((self.folder / "docker-compose.yml").read_text())
        found: dict[str, str] = {
            repository_of(service["image"]): name
            for name, service in owner["services"].items()
        }
        return found[repository]


def repository_of(image: str) -> str:
    """Return *image* without its tag."""
    return image.partition(":")[0]


def of_this_host(text: str, images: dict[str, str], logs: Path) -> str:
    """Return the file that is laid over the compose file *text* to run it here.

    *images* are the stand-ins' names, empty where a registry gives the owner's own;
    *logs* is a folder that stands in for this host's /var/log, which is nobody's.
    """
    owner: dict[str, Any] = yaml.safe_load(text)
    lines = ["services:"]
    for name, service in owner["services"].items():
        lines += [f"  {name}:", "    container_name: !reset null"]
        lines += [f"    {line}" for line in _service(service, images, logs)]
    named = [key for key, value in owner.get("networks", {}).items() if "name" in value]
    lines += ["networks:", *(f"  {key}: {{name: !reset null}}" for key in named)]
    return "\n".join(lines if named else lines[:-1]) + "\n"


def _service(service: dict[str, Any], images: dict[str, str], logs: Path) -> list[str]:
    repository = repository_of(service["image"])
    if repository in LEFT_OUT:
        return ["scale: 0", "ports: !reset []"]
    port = PUBLISHED.get(repository)
    lines = [f'ports: !override ["127.0.0.1::{port}"]' if port else "ports: !reset []"]
    if images and repository in STAND_INS:
        lines.append(f"image: {images[STAND_INS[repository]]}")
        if repository == "grafana/loki" and images["LOKI_IMAGE"] == STORE:
            lines.append('command: ["--storage.path=/loki/store.db"]')
    if "/var/log:/var/log" in service.get("volumes", []):
        lines.append(f'volumes: ["{logs}:/var/log"]')
    return lines
