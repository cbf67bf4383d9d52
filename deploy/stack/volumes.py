"""Docker's volumes, and the containers that look into them for us."""

from __future__ import annotations

from deploy.stack.shell import output


def exists(name: str) -> bool:
    """Whether Docker has the volume *name*."""
    return output(["docker", "volume", "inspect", name])[0] == 0


def helper(purpose: str) -> list[str]:
    """Return how `docker run` begins for a container of ours that is gone soon.

    What it prints is an answer to us, or the site itself, and no log: nothing of it is
    kept. By the label the shipper knows that there is nothing to read
    (shipper/config.yaml).
    """
    return [
        "docker", "run", "--rm", "--network=none",
        "--log-driver=none", f"--label=monitoring-exporters.helper={purpose}",
    ]  # fmt: skip
