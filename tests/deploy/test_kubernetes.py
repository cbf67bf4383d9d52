"""deploy/kubernetes: what the API server, the kubelet and the programs make of it."""

from __future__ import annotations

import functools
import json
import re

import jsonschema
import kubernetes_validate  # type: ignore[import-untyped]
import pytest

from tests.deploy.kustomize import (
    BUILDS,
    OVERLAYS,
    VERSIONS,
    built,
    containers,
    pods,
    settings,
    strictly,
)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", BUILDS)
def test_the_api_server_takes_every_field(name: str, version: str) -> None:
    for manifest in built(name):
        strictly(manifest, version)


def test_a_field_that_does_not_exist_is_seen() -> None:
    for kind, path in (
        ("DaemonSet", "spec.template.spec.hostNetworks"),
        ("PodMonitor", "spec.podMetricsEndpoint"),
    ):
        original = next(m for m in built("overlays/operator") if m["kind"] == kind)
        broken = json.loads(json.dumps(original))
        *parents, last = path.split(".")
        functools.reduce(lambda node, key: node[key], parents, broken)[last] = True
        with pytest.raises(
            (kubernetes_validate.ValidationError, jsonschema.ValidationError)
        ):
            strictly(broken, VERSIONS[-1])


@pytest.mark.parametrize("name", BUILDS)
def test_a_pod_has_no_right_that_it_does_not_need(name: str) -> None:
    accounts = {
        m["metadata"]["name"]: m["automountServiceAccountToken"]
        for m in built(name)
        if m["kind"] == "ServiceAccount"
    }
    for pod, _, spec in pods(name):
        assert accounts[spec["serviceAccountName"]] is False, pod
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostPID", "hostIPC"} & spec.keys()
        assert spec.get("hostNetwork", False) == (pod == "node-exporter")
    for who, spec, container in containers(name):
        rights = spec["securityContext"] | container["securityContext"]
        assert rights["readOnlyRootFilesystem"], who
        assert rights["allowPrivilegeEscalation"] is False
        assert rights["capabilities"] == {"drop": ["ALL"]}
        # The logs belong to root; everybody else is somebody else.
        assert (
            rights["runAsUser"] == 0
            if who == "promtail/promtail"
            else rights["runAsNonRoot"]
        )


@pytest.mark.parametrize("name", BUILDS)
def test_of_the_node_only_the_state_of_the_shipper_is_written(name: str) -> None:
    writable = set()
    for _, spec, container in containers(name):
        volumes = {v["name"]: v.get("hostPath") for v in spec.get("volumes", ())}
        for mount in container.get("volumeMounts", ()):
            path = volumes.get(mount["name"])  # a claim's is in no list
            if path and not mount.get("readOnly"):
                writable.add(path["path"])
    assert writable == (
        {"/var/lib/promtail"} if name.startswith("overlays/") else set()
    )


@pytest.mark.parametrize("name", BUILDS)
def test_a_container_has_bounds_probes_and_a_version(name: str) -> None:
    for who, _, container in containers(name):
        resources = container["resources"]
        assert resources["requests"].keys() == {"cpu", "memory"}, who
        assert "memory" in resources["limits"]
        assert {"livenessProbe", "readinessProbe"} <= container.keys()
        assert re.fullmatch(r"[a-z/-]+:(?!latest)\S+", container["image"])


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_node_is_watched_whatever_it_is_for(name: str) -> None:
    found = {
        m["metadata"]["name"]: m["spec"]["template"]["spec"]
        for m in built(name)
        if m["kind"] == "DaemonSet"
    }
    assert found.keys() == {"node-exporter", "promtail"}
    for spec in found.values():
        assert spec["tolerations"] == [{"operator": "Exists"}]


@pytest.mark.parametrize("name", BUILDS)
def test_a_monitor_finds_pods_and_a_port_of_theirs(name: str) -> None:
    for monitor in built(name):
        # What is probed is somebody else's.
        if monitor["kind"] != "PodMonitor" or monitor["metadata"]["name"] == "nginx":
            continue
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        ports = [
            {p["name"] for c in spec["containers"] for p in c.get("ports", ())}
            for _, metadata, spec in pods(name)
            if wanted <= metadata["labels"].items()
        ]
        assert len(ports) == 1, monitor["metadata"]["name"]
        assert {e["port"] for e in monitor["spec"]["podMetricsEndpoints"]} <= ports[0]


def test_an_overlay_names_its_tenant_and_its_cluster() -> None:
    assert settings("overlays/tenant") == {
        "LOKI_URL": "https://logs.example.org/loki/api/v1/push",
        "CLUSTER": "berlin-1",
        "TENANT": "shop",
        "MULTILINE_CONTAINERS": "wordpress",
    }
    for manifest in built("overlays/tenant"):
        if manifest["kind"] == "PodMonitor":
            (endpoint,) = manifest["spec"]["podMetricsEndpoints"]
            assert endpoint["relabelings"][-1] == {
                "targetLabel": "cluster",
                "replacement": "berlin-1",
            }


def test_the_annotations_name_a_port_that_is_there() -> None:
    for pod, metadata, spec in pods("overlays/plain"):
        if annotations := metadata.get("annotations"):
            numbers = {
                str(p["containerPort"]) for c in spec["containers"] for p in c["ports"]
            }
            assert annotations["prometheus.io/port"] in numbers, pod
            assert annotations["prometheus.io/scrape"] == "true"
