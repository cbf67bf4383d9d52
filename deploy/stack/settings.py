"""Where one stack keeps its settings, its passwords and its state."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.stack.shell import StackError


DEPLOY = Path(__file__).resolve().parent.parent
ROOT = DEPLOY.parent

PORTS = {
    "NGINX_PORT": "8080",
    "PHPMYADMIN_PORT": "8081",
    "PROMETHEUS_PORT": "9090",
    "LOKI_PORT": "3100",
    "GRAFANA_PORT": "3000",
    "ALERTMANAGER_PORT": "9093",
    "HTTPS_PORT": "8443",
}
DEFAULTS = {
    "COMPOSE_PROJECT_NAME": "monitoring",
    "COMPOSE_PROFILES": "tools",
    "NAME_PREFIX": "",
    "BIND_ADDRESS": "127.0.0.1",
    **PORTS,
}


QUOTED = re.compile(r"""\s*(['"])(.*?)\1\s*(?:\#.*)?$""")
COMMENT = re.compile(r"(?:^|\s)#")


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

    @property
    def profiles(self) -> frozenset[str]:
        """The parts that are not always wanted and are here: tools, alerts, tls."""
        names = self.values["COMPOSE_PROFILES"].split(",")
        return frozenset(filter(None, map(str.strip, names)))

    def address(self, port: str) -> str:
        """Return the address that the published *port* is bound to.

        The site may be for everybody without the rest being so: SITE_ADDRESS.
        """
        of_the_site = port in {"NGINX_PORT", "HTTPS_PORT"}
        site = self.values.get("SITE_ADDRESS") if of_the_site else ""
        return site or self.values["BIND_ADDRESS"]

    @property
    def mysql_user(self) -> str:
        """The database's user for WordPress."""
        return self.values.get("MYSQL_USER") or "wordpress"

    @property
    def secrets(self) -> Path:
        """The folder of the passwords."""
        return self._folder("SECRETS_DIR", ".secrets")

    @property
    def certificates(self) -> Path:
        """The folder of the certificate and its key, for the profile tls."""
        return self._folder("CERTIFICATES_DIR", ".certificates")

    def _folder(self, variable: str, beside: str) -> Path:
        # As Compose reads it: relative to the folder of compose.yaml.
        if named := self.values.get(variable):
            return DEPLOY / named
        return self.env_file.resolve().parent / beside


def load(env_file: Path, state: Path) -> Settings:
    """Read *env_file*, after adding what it lacks."""
    state.mkdir(parents=True, exist_ok=True)
    values = parse(read(env_file)) if env_file.exists() else {}
    missing = {name: value for name, value in DEFAULTS.items() if name not in values}
    if missing:
        append(env_file, missing)
    return Settings(env_file, state, values | missing)


def read(path: Path) -> str:
    """Return the text of a file of settings or a password; raise StackError."""
    try:
        return path.read_text()
    except OSError as error:
        raise StackError(f"{path}: {error.strerror}, expected a file") from error
    except UnicodeDecodeError as error:
        where = f"byte {error.start} is none"
        raise StackError(f"{path}: expected text in UTF-8: {where}") from error


def parse(text: str) -> dict[str, str]:
    """Return the assignments of a Compose env *text*."""
    return {name: value for _, name, value in assignments(text)}


def assignments(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield line number, name and value of each assignment of an env *text*."""
    for number, line in enumerate(text.splitlines(), start=1):
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            yield number, name.removeprefix("export ").strip(), plain(value)


def plain(value: str) -> str:
    """Return *value* without its quotes, or the comment after it."""
    found = QUOTED.match(value)
    return found[2] if found else COMMENT.split(value, maxsplit=1)[0].strip()


def drop(path: Path, names: Collection[str]) -> None:
    """Remove the assignments of *names* from an env file."""
    lines = path.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not parse(line).keys() & set(names)]
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(kept)
    part.rename(path)


def append(path: Path, values: dict[str, str]) -> None:
    """Add *values* to an env file that only its owner may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a") as file:
        if file.tell() and not path.read_text().endswith("\n"):
            file.write("\n")
        file.writelines(f"{name}={value}\n" for name, value in values.items())
