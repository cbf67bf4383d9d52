from __future__ import annotations

import itertools
from typing import Any

import pytest

from shipper.docker.meta import Options, describe, from_event, network_mode, sanitise


ID = "c" * 64
P = "__meta_docker_"

NETWORKS = [
    {
        "Id": "n1",
        "Name": "app_default",
        "Scope": "local",
        "Internal": False,
        "Ingress": False,
        "Labels": {"com.docker.compose.network": "default"},
    },
    {"Id": "n2", "Name": "other", "Scope": "swarm", "Internal": True, "Ingress": True},
]


def container(**changes: Any) -> dict[str, Any]:
    return {
        "Id": ID,
        "Names": ["/app-web-1"],
        "Labels": {"com.docker.compose.service": "web", "a-b": "1"},
        "State": "running",
        "HostConfig": {"NetworkMode": "app_default"},
        "NetworkSettings": {
            "Networks": {"app_default": {"NetworkID": "n1", "IPAddress": "10.0.0.2"}}
        },
        "Ports": [{"PrivatePort": 80, "Type": "tcp"}],
    } | changes


def labels(
    *containers: dict[str, Any], options: Options | None = None
) -> dict[str, str]:
    return describe(containers, NETWORKS, options or Options())[containers[0]["Id"]]


def test_all_labels_of_a_compose_service() -> None:
    assert labels(container()) == {
        "__address__": "10.0.0.2:80",
        P + "container_id": ID,
        P + "container_name": "/app-web-1",
        P + "container_network_mode": "app_default",
        P + "container_label_com_docker_compose_service": "web",
        P + "container_label_a_b": "1",
        P + "network_id": "n1",
        P + "network_name": "app_default",
        P + "network_scope": "local",
        P + "network_internal": "false",
        P + "network_ingress": "false",
        P + "network_label_com_docker_compose_network": "default",
        P + "network_ip": "10.0.0.2",
        P + "port_private": "80",
    }


def test_the_first_port_and_network_in_order_win() -> None:
    ports = [
        {"PrivatePort": 53, "Type": "udp"},
        {"PrivatePort": 443, "PublicPort": 8443, "IP": "::", "Type": "tcp"},
        {"PrivatePort": 443, "PublicPort": 8443, "IP": "0.0.0.0", "Type": "tcp"},
        {"PrivatePort": 8080, "Type": "tcp"},
    ]
    networks = {
        "other": {"NetworkID": "n2", "IPAddress": "10.9.0.2"},
        "app_default": {"NetworkID": "n1", "IPAddress": "10.0.0.2"},
        "broken": None,
    }
    for order in itertools.permutations(ports):
        settings = {
            "Networks": dict(sorted(networks.items(), reverse=order[0] is ports[0]))
        }
        found = labels(container(Ports=list(order), NetworkSettings=settings))
        assert found["__address__"] == "10.0.0.2:443"
        assert found[P + "network_name"] == "app_default"
        assert found[P + "port_public"] == "8443"
        assert found[P + "port_public_ip"] == "0.0.0.0"


@pytest.mark.parametrize(
    ("changes", "options", "address"),
    [
        ({"Ports": []}, Options(), "10.0.0.2:80"),
        ({"Ports": []}, Options(port=9100), "10.0.0.2:9100"),
        (
            {
                "Ports": [],
                "HostConfig": {"NetworkMode": "host"},
                "NetworkSettings": {"Networks": {"host": {"NetworkID": "x"}}},
            },
            Options(host_networking_host="the-host"),
            "the-host",
        ),
        # No network at all: upstream has no target, its logs were never read.
        ({"Ports": [], "NetworkSettings": {"Networks": {}}}, Options(), ":80"),
        ({"Ports": None, "NetworkSettings": None}, Options(), ":80"),
        (
            {
                "Ports": [{"PrivatePort": 1, "Type": "tcp"}],
                "NetworkSettings": {"Networks": {"a": {"IPAddress": "fd00::2"}}},
            },
            Options(),
            "[fd00::2]:1",
        ),
    ],
)
def test_addresses(changes: dict[str, Any], options: Options, address: str) -> None:
    assert labels(container(**changes), options=options)["__address__"] == address


def test_an_unknown_network_has_only_its_ip() -> None:
    settings = {"Networks": {"host": {"NetworkID": "x", "IPAddress": ""}}}
    found = labels(container(NetworkSettings=settings))
    assert {key for key in found if key.startswith(P + "network")} == {P + "network_ip"}
    assert found[P + "network_ip"] == ""


def test_networks_of_another_container_through_a_chain() -> None:
    bare: dict[str, Any] = {"NetworkSettings": {"Networks": {}}}
    last = container(Id="3")
    middle = container(Id="2", HostConfig={"NetworkMode": "container:3"}, **bare)
    first = container(Id="1", HostConfig={"NetworkMode": "container:2"}, **bare)
    found = labels(first, middle, last)
    assert found[P + "network_name"] == "app_default"
    assert found[P + "container_network_mode"] == "container:2"
    assert P + "network_name" not in labels(first, middle)


def test_a_circle_of_containers_ends() -> None:
    bare: dict[str, Any] = {"NetworkSettings": {"Networks": {}}}
    one = container(Id="1", HostConfig={"NetworkMode": "container:2"}, **bare)
    two = container(Id="2", HostConfig={"NetworkMode": "container:1"}, **bare)
    assert labels(one, two)["__address__"] == ":80"


def test_labels_that_collide_are_decided_by_order() -> None:
    one = labels(container(Labels={"a.b": "1", "a-b": "2", "a_b": "3"}))
    two = labels(container(Labels={"a_b": "3", "a-b": "2", "a.b": "1"}))
    assert one == two


def test_sanitise() -> None:
    assert sanitise("com.docker/compose-x ü_9") == "com_docker_compose_x___9"


def test_a_container_seen_only_in_an_event() -> None:
    attributes = {"name": "web", "image": "x", "exitCode": "0", "com.example": "1"}
    assert from_event(ID, attributes) == {
        "__address__": "",
        P + "container_id": ID,
        P + "container_name": "/web",
        P + "container_network_mode": "",
        P + "container_label_com_example": "1",
    }


def test_network_mode_of_little() -> None:
    assert network_mode({"HostConfig": None}) == ""
