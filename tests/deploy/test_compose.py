"""compose.yaml as written; what containers really may: tests/e2e/test_outside.py."""

from __future__ import annotations

from itertools import chain, combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.stack import images, passwords, settings
from deploy.stack.compose import CONFIGURED, Compose
from deploy.stack.images import Source
from deploy.stack.settings import DEPLOY


COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROFILES = ("tools", "alerts", "tls")
NETWORKS = {
    "mysql": ["database"],
    "wordpress": ["monitoring", "database"],
    "phpmyadmin": ["monitoring", "database"],
    "mysqld-exporter": ["monitoring", "database"],
    "docker-proxy": ["docker"],
    "promtail": ["monitoring", "docker"],
}

each_service = pytest.mark.parametrize("name", SERVICES)


@each_service
def test_a_service_is_bounded_checked_and_cannot_change_itself(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert "privileged" not in service
    assert "pid" not in service


@each_service
def test_a_service_is_where_it_has_business(name: str) -> None:
    assert SERVICES[name]["networks"] == NETWORKS.get(name, ["monitoring"])
    for port in SERVICES[name].get("ports", []):
        assert "${BIND_ADDRESS:-127.0.0.1}" in port.rpartition("}:")[0] + "}"


@each_service
def test_no_secret_is_in_an_environment_or_on_a_command_line(name: str) -> None:
    for variable in SERVICES[name].get("environment", {}):
        assert "PASSWORD" not in variable or variable.endswith("_FILE"), variable
    assert "PASSWORD" not in str(SERVICES[name].get("command", ""))


def test_networks_without_a_way_out() -> None:
    inside = {name for name, n in COMPOSE["networks"].items() if n.get("internal")}
    assert inside == {"database", "docker"}


def test_dockers_socket_is_mounted_once() -> None:
    def mounts_it(service: dict[str, Any]) -> bool:
        return "/run:/" in str(service.get("volumes")) or "docker.sock" in str(service)

    assert [n for n, s in SERVICES.items() if mounts_it(s)] == ["docker-proxy"]


def test_what_is_optional() -> None:
    assert {n: s["profiles"] for n, s in SERVICES.items() if "profiles" in s} == {
        "phpmyadmin": ["tools"],
        "alertmanager": ["alerts"],
    }


def test_who_mounts_a_configuration_starts_anew_when_it_changes() -> None:
    for name, service in SERVICES.items():
        mounted = {
            Path(source).parts[0]
            for volume in service.get("volumes", [])
            if isinstance(volume, str) and volume.startswith("./")
            for source in [volume.partition(":")[0]]
        }
        labels = str(service.get("labels", ""))
        for folder in mounted:
            assert folder in CONFIGURED, (name, folder)
            variable = f"CONFIG_{folder.upper().replace('-', '_')}"
            assert f"${{{variable}:-}}" in labels, (name, variable)


@pytest.mark.parametrize("offline", [True, False])
@pytest.mark.parametrize(
    "profiles",
    list(chain.from_iterable(combinations(PROFILES, n) for n in range(4))),
    ids=",".join,
)
def test_compose_accepts_every_choice(
    tmp_path: Path, profiles: tuple[str, ...], *, offline: bool
) -> None:
    (tmp_path / ".env").write_text(f"COMPOSE_PROFILES={','.join(profiles)}\n")
    stack = settings.load(tmp_path / ".env", tmp_path)
    passwords.ensure(stack)
    source = Source(offline, {"LOKI_IMAGE": images.STORE} if offline else {})
    services = Compose(stack, source).read("config", "--services").split()
    expected = SERVICES.keys() - {"phpmyadmin", "alertmanager"}
    expected |= {"phpmyadmin"} if "tools" in profiles else set()
    expected |= {"alertmanager"} if "alerts" in profiles else set()
    assert set(services) == expected - ({"grafana"} if offline else set())
