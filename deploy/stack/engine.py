"""Find a Docker Engine, or install and start one where that is allowed."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from deploy.stack import packages
from deploy.stack.shell import StackError, output, quiet, say


START_SECONDS = 60.0
DAEMON_LOG = Path("/var/log/dockerd.log")


class NoEngineError(StackError):
    """No Docker Engine can be had here; what runs without it still can."""


def ensure() -> None:
    """Return once `docker` talks to an Engine; raise NoEngineError when none can."""
    if reachable():
        return
    if not may_administer():
        raise NoEngineError(why_not())
    if not (shutil.which("dockerd") and shutil.which("docker")):
        install()
    start()


def reachable() -> bool:
    """Whether an Engine answers `docker version`."""
    if not shutil.which("docker"):
        return False
    code, _ = output(["docker", "version", "--format", "{{.Server.Version}}"])
    return code == 0


def may_administer() -> bool:
    """Whether this is root on a Debian or Ubuntu, and no remote Engine was named."""
    return packages.may_install() and "DOCKER_HOST" not in os.environ


def why_not() -> str:
    """Say why there is no Engine and what the person can do about it."""
    if host := os.environ.get("DOCKER_HOST"):
        return f"no Docker Engine answers at DOCKER_HOST={host}: start it or unset it"
    if shutil.which("docker"):
        _, text = output(["docker", "version", "--format", "{{.Server.Version}}"])
        reason = text.strip().splitlines()[-1] if text.strip() else "no answer"
        return (
            f"the Docker Engine cannot be used ({reason}): "
            "start it, or add yourself to the group docker"
        )
    return (
        "there is no Docker Engine and only root on Debian or Ubuntu can install it "
        "here: run `sudo make up` or install Docker first"
    )


def install() -> None:
    """Install docker.io from the distribution."""
    say("Docker is missing")
    packages.install("docker.io")
    if not shutil.which("docker"):  # trixie and later package the client apart
        packages.install("docker-cli")


def start() -> None:
    """Start the daemon and wait until it answers."""
    if Path("/run/systemd/system").is_dir():
        say("starting the Docker daemon (systemctl start docker)")
        quiet(["systemctl", "start", "docker"])
    else:
        say(f"starting the Docker daemon in the background, its log is {DAEMON_LOG}")
        with DAEMON_LOG.open("ab") as log:
            # setsid --fork: the daemon outlives this command and is nobody's zombie.
            subprocess.run(
                ["setsid", "--fork", "dockerd"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=True,
            )
    deadline = time.monotonic() + START_SECONDS
    while not reachable():
        if time.monotonic() > deadline:
            raise NoEngineError(
                f"dockerd was started but did not answer in {START_SECONDS:.0f} s: "
                f"see {DAEMON_LOG} or `journalctl -u docker`"
            )
        time.sleep(0.2)
