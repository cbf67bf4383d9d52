"""A swarm of one node, and the stacks on it: made for a test, and gone after it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.e2e.stack import ROOT, docker, wait_until


FOLDER = ROOT / "deploy" / "swarm"
GATEWAY = "docker_gwbridge"
OF_STACK = "label=com.docker.stack.namespace="


class BusyError(Exception):
    """This Engine is in use, by a swarm or others: nothing was touched."""


@dataclass(frozen=True)
class Swarm:
    """A node that is a swarm by itself, and the overlay network *network*."""

    network: str
    variables: dict[str, str]

    def deploy(self, stack: str, *files: Path) -> None:
        """Deploy *files* as *stack*, and wait until every task runs."""
        run_docker(
            *("stack", "deploy", "--resolve-image=never"),
            *(f"--compose-file={path}" for path in files),
            stack,
            env=self.variables,
        )
        wait_until(lambda: converged(stack), f"every task of {stack} runs")

    def remove(self, *stacks: str) -> None:
        """Remove *stacks* with all that they had."""
        run_docker("stack", "rm", *stacks)
        for stack in stacks:
            wait_until(partial(is_gone, stack), f"{stack} is gone")
            volumes = docker("volume", "ls", "-q", "-f", OF_STACK + stack).split()
            if volumes:
                docker("volume", "rm", *volumes)

    def container(self, service: str) -> str:
        """Return the container of a task of *service* that runs."""
        label = f"label=com.docker.swarm.service.name={service}"
        return docker("ps", "-q", "-f", label).split()[0]

    def execute(self, service: str, *command: str) -> str:
        """Run *command* in a task of *service* and return what it printed."""
        return docker("exec", self.container(service), *command)


@contextlib.contextmanager
def swarm(network: str, stacks: list[str], env: dict[str, str]) -> Iterator[Swarm]:
    """Make this Engine a swarm with *network*; leave it as it was, whatever happens.

    Raises BusyError where there is a swarm already, which is not ours to leave, and
    where containers know each other by name: `swarm leave` makes Docker forget them.
    """
    state = json.loads(docker("info", "-f", "{{json .Swarm}}"))["LocalNodeState"]
    if state != "inactive":
        raise BusyError(f"this Docker Engine is part of a swarm ({state})")
    if others := named():
        raise BusyError(f"beside a swarm {', '.join(others)} would lose their names")
    before = networks()
    run_docker(
        *("swarm", "init", "--advertise-addr=127.0.0.1"),
        "--listen-addr=127.0.0.1:2377",
    )
    made = Swarm(network, {**env, "NETWORK": network})
    try:
        # A node that leaves before its ingress network is made is not rid of it again.
        wait_until(has_ingress, "the ingress network is made")
        node = docker("node", "ls", "-q").strip()
        docker("node", "update", "--label-add=monitoring=true", node)
        docker("network", "create", "--driver=overlay", network)
        yield made
    finally:
        with contextlib.ExitStack() as rest:  # each step, also after one that fails
            rest.callback(forget, before)
            rest.callback(run_docker, "swarm", "leave", "--force")
            made.remove(*stacks)


def forget(before: set[str]) -> None:
    """Remove what `swarm leave` leaves behind, and say if that was not all."""
    wait_until(lambda: "ingress" not in networks(), "the ingress network is gone")
    if GATEWAY not in before:
        docker("network", "rm", GATEWAY)


def has_ingress() -> bool:
    """Say whether the node is connected to the network of published ports."""
    if "ingress" not in networks():
        return False
    return "ingress-sbox" in docker("network", "inspect", "ingress")


def named() -> list[str]:
    """Return the containers that run in a network with names."""
    rows = docker("ps", "--format={{.Names}} {{.Networks}}").splitlines()
    pairs = [row.split(" ", 1) for row in rows]
    plain = {"bridge", "host", "none", ""}
    return [name for name, found in pairs if set(found.split(",")) - plain]


def networks() -> set[str]:
    """Return the names of the Engine's networks."""
    return set(docker("network", "ls", "--format={{.Name}}").split())


def converged(stack: str) -> bool:
    """Say whether every service of *stack* has all of its tasks, and healthy ones."""
    rows = docker("stack", "services", "--format={{.Replicas}}", stack).split("\n")
    counts = [row.split()[0].split("/") for row in rows if row]
    return all(run == wanted != "0" for run, wanted in counts)


def is_gone(stack: str) -> bool:
    """Say whether nothing of *stack* is left, its volumes aside."""
    of_stack = ("-f", OF_STACK + stack)
    return not docker("ps", "-aq", *of_stack) + docker("network", "ls", "-q", *of_stack)


def run_docker(*arguments: str, env: dict[str, str] | None = None) -> None:
    """Run one docker command; fail with what it printed."""
    done = subprocess.run(
        ["docker", *arguments],
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **(env or {})},
    )
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stdout}"


def services(*names: str) -> dict[str, dict[str, Any]]:
    """Return what the Engine was told of the services *names*."""
    found = json.loads(docker("service", "inspect", *names))
    return {service["Spec"]["Name"]: service["Spec"] for service in found}
