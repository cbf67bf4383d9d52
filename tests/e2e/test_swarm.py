"""deploy/swarm on a swarm of one node: metrics and lines of a service arrive."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.stack import images, settings
from deploy.stack.compose import rootfs_propagation
from deploy.swarm import login
from tests.e2e.stack import docker, free_ports, need_engine, wait_until
from tests.e2e.swarm import FOLDER, BusyError, Swarm, services, swarm


pytestmark = [
    pytest.mark.e2e,
    pytest.mark.docker,
    pytest.mark.swarm,
    pytest.mark.timeout(900),
]

STACK = "swarm-e2e"
SHOP = "swarm-e2e-shop"
NETWORK = "swarm-e2e"
LINES = 300
WRITER = f"for n in range({LINES}): print(f'line {{n}}', flush=True)"
TARGETS = Counter(
    {
        "prometheus": 1,
        "node": 1,
        "promtail": 1,
        "loki": 1,
        "nginx-exporter": 1,
        "nginx": 2,
    }
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("swarm")


@pytest.fixture(scope="module")
def variables(folder: Path) -> dict[str, str]:
    """What stack.yml is told: our images, a login, a port that is free."""
    need_engine()
    (folder / ".env").write_text("COMPOSE_PROFILES=\n")
    source = images.prepare(settings.load(folder / ".env", folder / "state"))
    login.make(folder / "secrets")
    return {
        **source.names,
        "LOGS": "store.yml" if source.offline else "loki.yml",
        "ROOTFS_PROPAGATION": rootfs_propagation().removeprefix(","),
        "SECRETS_DIR": str(folder / "secrets"),
        "PROMETHEUS_PORT": str(free_ports(1)[0]),
        "NGINX_ACCESS_VOLUME": f"{STACK}_nginx_access",
    }


@pytest.fixture(scope="module")
def node(folder: Path, variables: dict[str, str]) -> Iterator[Swarm]:
    """The monitoring, and beside it the stack of somebody who joins its network."""
    shop = folder / "shop.yml"
    shop.write_text(json.dumps(somebodys_stack(folder, variables)))
    try:
        with swarm(NETWORK, [STACK, SHOP], variables) as made:
            made.deploy(STACK, FOLDER / "stack.yml", FOLDER / variables["LOGS"])
            made.deploy(SHOP, shop)
            yield made
    except BusyError as error:
        pytest.skip(str(error))


def somebodys_stack(folder: Path, variables: dict[str, str]) -> dict[str, Any]:
    site = folder / "nginx.conf"
    site.write_text("server { listen 80; location = /stub_status { stub_status; } }\n")
    deploy = {"endpoint_mode": "dnsrr"}
    return {
        "version": "3.9",
        "services": {
            "nginx": {
                "image": variables.get("NGINX_IMAGE", "nginx:1.30.5-alpine"),
                "networks": ["monitoring"],
                "configs": [
                    {"source": "site", "target": "/etc/nginx/conf.d/default.conf"}
                ],
                "deploy": {**deploy, "replicas": 2},
            },
            "writer": {
                "image": "monitoring-exporters/shipper:local",
                "entrypoint": [
                    "python",
                    "-c",
                    f"{WRITER}\nimport time; time.sleep(1e6)",
                ],
                "healthcheck": {"disable": True},
                "stop_grace_period": "1s",
                "deploy": deploy,
            },
        },
        "configs": {"site": {"file": str(site)}},
        "networks": {"monitoring": {"external": True, "name": NETWORK}},
    }


def asked(path: str, variables: dict[str, str], password: str) -> Any:
    """Return what Prometheus answers, asked from outside of the swarm."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{variables['PROMETHEUS_PORT']}/api/v1/{path}"
    )
    token = base64.b64encode(f"{login.USER}:{password}".encode()).decode()
    request.add_header("Authorization", f"Basic {token}")
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)["data"]


@pytest.fixture(scope="module")
def password(folder: Path) -> str:
    return (folder / "secrets" / "web_password").read_text()


def test_prometheus_finds_every_task(
    node: Swarm, variables: dict[str, str], password: str
) -> None:
    found: list[dict[str, Any]] = []

    def up() -> bool:
        found[:] = asked("targets", variables, password)["activeTargets"]
        return (
            Counter(t["labels"]["job"] for t in found if t["health"] == "up") == TARGETS
        )

    try:
        wait_until(up, "every target is up")
    finally:
        for target in found:
            print(target["labels"], target["health"], target["lastError"])


def found(query: str, variables: dict[str, str], password: str) -> list[dict[str, Any]]:
    words = urllib.parse.urlencode({"query": query})
    rows: list[dict[str, Any]] = asked(f"query?{words}", variables, password)["result"]
    return rows


def test_the_metrics_are_the_nodes(
    node: Swarm, variables: dict[str, str], password: str
) -> None:
    name = docker("info", "-f", "{{.Name}}").strip()
    (row,) = found("node_uname_info", variables, password)
    assert row["metric"]["nodename"] == name
    devices = {
        r["metric"]["device"]
        for r in found("node_network_receive_bytes_total", variables, password)
    }
    assert "docker_gwbridge" in devices  # the container's own network has only eth*
    assert len(found("nginx_up", variables, password)) == TARGETS["nginx"]
    assert len(found("nginx_up == 1", variables, password)) == TARGETS["nginx"]


def test_the_rules_are_read(
    node: Swarm, variables: dict[str, str], password: str
) -> None:
    groups = asked("rules", variables, password)["groups"]
    files = {Path(group["file"]).name for group in groups}
    assert files == {"host.yml", "nginx.yml", "shipper.yml", "stack.yml"}


def stored(node: Swarm, selector: str) -> list[dict[str, Any]]:
    printed = node.execute(
        f"{STACK}_promtail",
        *("python", "-m", "shipper", "logs", "--addr=http://loki:3100"),
        *(selector, "--limit=0", "--forward", "--output=jsonl"),
    )
    return [json.loads(line) for line in printed.splitlines()]


def test_every_line_of_a_service_arrives_once_with_the_labels_of_swarm(
    node: Swarm,
) -> None:
    selector = f'{{swarm_service="{SHOP}_writer"}}'
    wait_until(lambda: len(stored(node, selector)) >= LINES, "the lines are stored")
    rows = stored(node, selector)
    assert [row["line"] for row in rows] == [f"line {n}" for n in range(LINES)]
    inspected = docker(
        *("inspect", "-f", "{{json .Config.Labels}}"),
        node.container(f"{SHOP}_writer"),
    )
    given = json.loads(inspected)
    assert {json.dumps(row["labels"], sort_keys=True) for row in rows} == {
        json.dumps(
            {
                "cluster": "swarm",
                "container_name": given["com.docker.swarm.task.name"],
                "detected_level": "unknown",
                "host": docker("info", "-f", "{{.Name}}").strip(),
                "job": f"{SHOP}_writer",
                "service_name": f"{SHOP}_writer",
                "stream": "stdout",
                "swarm_node": given["com.docker.swarm.node.id"],
                "swarm_service": f"{SHOP}_writer",
                "swarm_stack": SHOP,
                "swarm_task": given["com.docker.swarm.task.name"],
            },
            sort_keys=True,
        )
    }


def test_nobody_reads_metrics_without_the_login(
    node: Swarm, variables: dict[str, str]
) -> None:
    with pytest.raises(urllib.error.HTTPError, match="401"):
        asked("targets", variables, "guessed")
    for service, port in (("node-exporter", 9100), ("nginx-exporter", 9113)):
        answer = node.execute(
            f"{STACK}_promtail",
            *("python", "-c", STATUS, f"http://{service}:{port}/metrics"),
        )
        assert answer.strip() == "401", service


STATUS = """
import sys, urllib.error, urllib.request
try: print(urllib.request.urlopen(sys.argv[1]).status)
except urllib.error.HTTPError as error: print(error.code)
"""


def test_only_prometheus_can_be_reached_from_outside(node: Swarm) -> None:
    names = docker("stack", "services", "--format={{.Name}}", STACK).split()
    ports = {
        name: spec.get("EndpointSpec", {}).get("Ports")
        for name, spec in services(*names).items()
    }
    assert [name for name, open_ports in ports.items() if open_ports] == [
        f"{STACK}_prometheus"
    ]


def test_no_secret_is_in_a_configuration_or_on_a_command_line(
    node: Swarm, password: str
) -> None:
    names = docker("stack", "services", "--format={{.Name}}", STACK).split()
    configs = docker("config", "ls", "-q").split()
    told = docker("service", "inspect", *names) + docker("config", "inspect", *configs)
    assert password not in told
    assert base64.b64encode(password.encode()).decode() not in told


ASK = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect("/run/docker-proxy/docker.sock")
s.sendall(f"{sys.argv[1]} HTTP/1.1\\r\\nHost: docker\\r\\n\\r\\n".encode())
print(s.recv(100).split()[1].decode())
"""


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET /_ping", "200"),
        ("GET /v1.41/containers/json", "200"),
        ("GET /v1.41/secrets", "403"),
        ("GET /v1.41/configs", "403"),
        ("POST /v1.41/swarm/leave?force=true", "403"),
        ("POST /v1.41/containers/create", "403"),
    ],
)
def test_the_shipper_may_read_containers_and_nothing_else(
    node: Swarm, request_line: str, status: str
) -> None:
    answer = node.execute(f"{STACK}_promtail", "python", "-c", ASK, request_line)
    assert answer.strip() == status


def test_a_swarm_that_is_somebody_elses_is_left_alone(node: Swarm) -> None:
    with pytest.raises(BusyError, match="active"), swarm("other", [], {}):
        pytest.fail("entered")
    assert "Leader" in docker("node", "ls")
