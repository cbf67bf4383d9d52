"""The ``__meta_docker_*`` labels of a container (Prometheus discovery/moby).

Pure: what ``GET /containers/json`` and ``GET /networks`` say, to labels. Of the targets
a container has upstream (one for each network and port) promtail reads the first that
comes, by the order of a Go map; here it is the first in sorted order, whatever
``match_first_network`` says. A container without any network is a target as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final


PREFIX = "__meta_docker_"
STREAM_LABEL = "__meta_docker_container_log_stream"

_CONTAINER_ID: Final = PREFIX + "container_id"
_CONTAINER_NAME: Final = PREFIX + "container_name"
_CONTAINER_NETWORK_MODE: Final = PREFIX + "container_network_mode"

Json = Mapping[str, Any]

_UNSAFE = re.compile("[^a-zA-Z0-9_]")


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of ``docker_sd_configs`` that shape an address."""

    port: int = 80
    host_networking_host: str = "localhost"


def sanitise(name: str) -> str:
    """Return *name* as a label name can be (Prometheus util/strutil)."""
    return _UNSAFE.sub("_", name)


def describe(
    containers: Iterable[Json], networks: Iterable[Json], options: Options
) -> dict[str, dict[str, str]]:
    """Return the labels of every one of *containers*, by its id.

    A container with several targets (networks, ports) has the labels of the first of
    them, as promtail reads each container once. ``network_mode: container:<id>`` gives
    the networks of that one, if it is among *containers*.
    """
    by_id = {container["Id"]: container for container in containers}
    network_labels = {item["Id"]: _network_labels(item) for item in networks}
    return {
        container_id: _labels(container, by_id, network_labels, options)
        for container_id, container in by_id.items()
    }


def from_event(container_id: str, attributes: Mapping[str, str]) -> dict[str, str]:
    """Return what an event tells of a container that is already gone.

    *attributes* are those of the event's actor: name, image and the labels.
    """
    labels = {
        key: value
        for key, value in attributes.items()
        if key not in {"name", "image", "exitCode", "execDuration", "signal"}
    }
    name = attributes.get("name", "")
    container = {"Id": container_id, "Names": [f"/{name}"], "Labels": labels}
    return _container_labels(container) | {"__address__": ""}


def network_mode(container: Json) -> str:
    """Return the network mode of a listed *container*."""
    host_config = container.get("HostConfig") or {}
    mode: str = host_config.get("NetworkMode") or ""
    return mode


def network_ids(container: Json) -> set[str]:
    """Return the ids of the networks that a listed *container* is in."""
    settings = container.get("NetworkSettings") or {}
    networks = (settings.get("Networks") or {}).values()
    return {net["NetworkID"] for net in networks if net and net.get("NetworkID")}


def _labels(
    container: Json,
    by_id: Mapping[str, Json],
    network_labels: Mapping[str, dict[str, str]],
    options: Options,
) -> dict[str, str]:
    labels = _container_labels(container)
    networks = _networks(container, by_id)
    endpoint = networks[min(networks)] if networks else {}
    address = endpoint.get("IPAddress") or ""
    if endpoint:
        labels[PREFIX + "network_ip"] = address
        labels |= network_labels.get(endpoint.get("NetworkID") or "", {})
    port = _first_port(container)
    if port is not None:
        labels |= _port_labels(port)
        labels["__address__"] = _join(address, port["PrivatePort"])
    elif network_mode(container) == "host":
        labels["__address__"] = options.host_networking_host
    else:
        labels["__address__"] = _join(address, options.port)
    return labels


def _container_labels(container: Json) -> dict[str, str]:
    names = container.get("Names") or [""]
    own = container.get("Labels") or {}
    labels = {
        _CONTAINER_ID: container["Id"],
        _CONTAINER_NAME: names[0],
        _CONTAINER_NETWORK_MODE: network_mode(container),
    }
    for name in sorted(own):
        labels[_label_name("container", name)] = own[name]
    return labels


def _networks(container: Json, by_id: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return the networks of *container*, or those of the one whose it shares."""
    seen: set[str] = set()
    current: Json | None = container
    while current is not None and current["Id"] not in seen:
        seen.add(current["Id"])
        settings = current.get("NetworkSettings") or {}
        own = {
            name: net for name, net in (settings.get("Networks") or {}).items() if net
        }
        if own:
            return own
        kind, _, other = network_mode(current).partition(":")
        current = by_id.get(other) if kind == "container" else None
    return {}


def _first_port(container: Json) -> Json | None:
    ports = [port for port in container.get("Ports") or () if port.get("Type") == "tcp"]
    return min(ports, key=_port_order, default=None)


def _port_order(port: Json) -> tuple[int, int, str]:
    return port["PrivatePort"], port.get("PublicPort") or 0, port.get("IP") or ""


def _port_labels(port: Json) -> dict[str, str]:
    labels = {PREFIX + "port_private": str(port["PrivatePort"])}
    if port.get("PublicPort"):
        labels[PREFIX + "port_public"] = str(port["PublicPort"])
        labels[PREFIX + "port_public_ip"] = port.get("IP") or ""
    return labels


def _network_labels(network: Json) -> dict[str, str]:
    prefix = PREFIX + "network_"
    labels = {
        prefix + "id": network["Id"],
        prefix + "name": network["Name"],
        prefix + "scope": network.get("Scope") or "",
        prefix + "internal": str(bool(network.get("Internal"))).lower(),
        prefix + "ingress": str(bool(network.get("Ingress"))).lower(),
    }
    own = network.get("Labels") or {}
    for name in sorted(own):
        labels[_label_name("network", name)] = own[name]
    return labels


# One text for all containers: they have the same few names of labels.
@lru_cache(maxsize=1024)
def _label_name(of: str, name: str) -> str:
    return f"{PREFIX}{of}_label_{sanitise(name)}"


def _join(host: str, port: int) -> str:
    """Return ``host:port`` as Go's net.JoinHostPort does."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
