"""The running stack as backup and restore see it: containers, volumes, images."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from deploy.stack import engine, images
from deploy.stack.backup.database import Database, quoted
from deploy.stack.backup.volume import Volume
from deploy.stack.compose import Compose
from deploy.stack.settings import Settings
from deploy.stack.shell import StackError


VERSION = r"""sed -n "s/^\$wp_version = '\(.*\)';/\1/p" wp-includes/version.php"""
GRAFANA_ROOT = "/var/lib/grafana"


@dataclass(frozen=True, slots=True)
class Site:
    """One stack: what Compose says of it now."""

    compose: Compose
    config: dict[str, Any]
    containers: dict[str, dict[str, Any]]

    @classmethod
    def look(cls, settings: Settings) -> Site:
        """Ask about the stack; raise StackError where there is no Engine."""
        if not engine.reachable():
            raise StackError(f"no Docker Engine: {engine.why_not()}")
        compose = Compose(settings, images.remembered(settings))
        text = compose.read("config", "--format", "json")
        # What Compose warns of may stand before it.
        config, _ = json.JSONDecoder().raw_decode(text, f"\n{text}".index("\n{"))
        containers = {row["Service"]: row for row in compose.running()}
        return cls(compose, config, containers)

    def runs(self, service: str) -> bool:
        """Whether *service* runs now."""
        return self._state(service) == "running"

    def frozen(self, service: str) -> bool:
        """Whether *service* is paused, as a backup leaves it that is killed."""
        return self._state(service) == "paused"

    def _state(self, service: str) -> str:
        return str(self.containers.get(service, {}).get("State"))

    @property
    def project(self) -> str:
        """The name of the stack."""
        return str(self.config["name"])

    @property
    def database(self) -> Database:
        """The database server, which has to run."""
        if not self.runs("mysql"):
            raise StackError(f"mysql of the stack {self.project} does not run: make up")
        return Database(self.containers["mysql"]["ID"])

    @property
    def wordpress(self) -> Volume:
        """The files of the site."""
        return self._volume("wordpress_data")

    @property
    def grafana(self) -> Volume:
        """The database of Grafana."""
        return self._volume("grafana_data", GRAFANA_ROOT)

    def _volume(self, name: str, *root: str) -> Volume:
        image = self.config["services"]["wordpress"]["image"]
        return Volume(self.config["volumes"][name]["name"], image, *root)

    def wordpress_version(self) -> str:
        """Return the version of the code in the volume."""
        return self.wordpress.sh(VERSION).strip()


def table_prefixes(tables: list[str]) -> list[str]:
    """Return the prefix of each WordPress whose tables are among *tables*."""
    found = {
        name.removesuffix("options") for name in tables if name.endswith("options")
    }
    return sorted(prefix for prefix in found if f"{prefix}usermeta" in tables)


def address(database: Database, name: str, prefix: str) -> str:
    """Return the address that the WordPress in the database *name* gives itself."""
    options = quoted(name, f"{prefix}options")
    values = database.names(
        f"SELECT HEX(option_value) FROM {options} WHERE option_name = 'home'"  # noqa: S608 -- quoted
    )
    return values[0] if values else ""
