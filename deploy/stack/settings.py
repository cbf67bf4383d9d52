"""Where one stack keeps its settings, its passwords and its state."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path


DEPLOY = Path(__file__).resolve().parent.parent
ROOT = DEPLOY.parent

PORTS = {
    "NGINX_PORT": "8080",
    "PHPMYADMIN_PORT": "8081",
    "PROMETHEUS_PORT": "9090",
    "LOKI_PORT": "3100",
    "GRAFANA_PORT": "3000",
}
DEFAULTS = {
    "COMPOSE_PROJECT_NAME": "monitoring",
    "NAME_PREFIX": "",
    "BIND_ADDRESS": "127.0.0.1",
    **PORTS,
}
PASSWORDS = ("MYSQL_ROOT_PASSWORD", "MYSQL_PASSWORD", "GRAFANA_PASSWORD")


@dataclass(frozen=True, slots=True)
class Settings:
    """One stack: its `.env` and the folder of what was found out about this host."""

    env_file: Path
    state: Path
    values: dict[str, str]

    @property
    def images_env(self) -> Path:
        """The file in which the chosen images are kept."""
        return self.state / "images.env"


def load(env_file: Path, state: Path) -> Settings:
    """Read *env_file*, after adding what it lacks: passwords are made, once."""
    state.mkdir(parents=True, exist_ok=True)
    text = env_file.read_text() if env_file.exists() else ""
    values = parse(text)
    made = {name: secrets.token_urlsafe(24) for name in PASSWORDS}
    missing = {
        name: value for name, value in (DEFAULTS | made).items() if name not in values
    }
    if missing:
        append(env_file, missing)
    return Settings(env_file, state, values | missing)


def parse(text: str) -> dict[str, str]:
    """Return the assignments of a Compose env *text*."""
    values = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            values[name.strip()] = value.strip().strip("'\"")
    return values


def append(path: Path, values: dict[str, str]) -> None:
    """Add *values* to an env file that only its owner may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a") as file:
        if file.tell() and not path.read_text().endswith("\n"):
            file.write("\n")
        file.writelines(f"{name}={value}\n" for name, value in values.items())
