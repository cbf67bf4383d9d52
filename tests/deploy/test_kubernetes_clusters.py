"""deploy/kubernetes beside what else is in a cluster, and in different clusters."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from deploy.stack.settings import ROOT
from tests.deploy.kustomize import (
    FOLDER,
    OVERLAYS,
    VERSIONS,
    Manifest,
    built,
    containers,
    pods,
    settings,
    strictly,
)


# Who talks to whom


def selected(selector: Manifest | None, labels: Manifest) -> bool:
    """Tell whether *selector* is that of a pod with *labels*; {} is any pod's."""
    return selector is not None and (
        selector.keys() <= {"matchLabels"}
        and selector.get("matchLabels", {}).items() <= labels.items()
    )


def lets_in(policy: Manifest, port: str, labels: Manifest, *, here: bool) -> bool:
    """Tell whether *policy* lets a pod with *labels* in, from *here* or elsewhere."""
    return any(
        selected(peer["podSelector"], labels) and (here or "namespaceSelector" in peer)
        for rule in policy["spec"].get("ingress", ())
        if port in {p["port"] for p in rule.get("ports", ({"port": port},))}
        for peer in rule["from"]
    )


def reached(name: str, pod: str, port: str, who: str, *, here: bool) -> bool:
    """Tell whether a pod called *who* reaches the named *port* of *pod* in a build."""
    (labels,) = [metadata["labels"] for n, metadata, _ in pods(name) if n == pod]
    holding = [
        manifest
        for manifest in built(name)
        if manifest["kind"] == "NetworkPolicy"
        and "Ingress" in manifest["spec"]["policyTypes"]
        and selected(manifest["spec"]["podSelector"], labels)
    ]
    assert holding, f"{pod} is open to everybody"
    caller = {"app.kubernetes.io/name": who}
    return any(lets_in(policy, port, caller, here=here) for policy in holding)


@pytest.mark.parametrize("name", OVERLAYS)
def test_nobody_else_in_the_namespace_is_shut_in(name: str) -> None:
    """It may be the namespace of an operator, with exporters of its own."""
    for manifest in built(name):
        if manifest["kind"] == "NetworkPolicy":
            for who in ("prometheus", "grafana", "node-exporter", "promtail", "loki"):
                labels = {"app.kubernetes.io/name": who}
                assert not selected(manifest["spec"]["podSelector"], labels)


@pytest.mark.parametrize("name", OVERLAYS)
def test_prometheus_scrapes_from_whatever_namespace(name: str) -> None:
    for pod, port in (("promtail", "metrics"), ("nginx-exporter", "metrics")):
        assert reached(name, pod, port, "prometheus", here=False)
        assert not reached(name, pod, port, "somebody", here=False)


def test_grafana_and_the_shipper_reach_the_store() -> None:
    store = ("overlays/plain", "loki", "http")
    assert reached(*store, "promtail", here=True)
    assert reached(*store, "grafana", here=False)
    assert reached(*store, "prometheus", here=False)
    assert not reached(*store, "somebody", here=False)


# What clusters differ in


def test_without_the_operator_nothing_of_it_is_asked_for() -> None:
    versions = {manifest["apiVersion"] for manifest in built("overlays/plain")}
    assert not [v for v in versions if "coreos" in v]


@pytest.mark.parametrize("name", ["overlays/operator", "overlays/tenant"])
def test_the_chart_of_prometheus_finds_the_monitors(name: str) -> None:
    """Its podMonitorSelector wants the label of its release."""
    monitors = [m for m in built(name) if m["kind"] == "PodMonitor"]
    assert len(monitors) == 4
    for monitor in monitors:
        assert monitor["metadata"]["labels"]["release"] == "kube-prometheus-stack"


@pytest.mark.parametrize("name", OVERLAYS)
def test_a_quota_lets_the_pods_have_their_priority(name: str) -> None:
    """GKE admits the priority outside kube-system only where a quota has its scope."""
    (quota,) = [m for m in built(name) if m["kind"] == "ResourceQuota"]
    (scope,) = quota["spec"]["scopeSelector"]["matchExpressions"]
    priorities = {spec.get("priorityClassName") for _, _, spec in pods(name)}
    assert priorities - {None} == set(scope["values"]) == {"system-node-critical"}


def overlay(folder: Path, text: str) -> str:
    """Write an overlay of one's own; return its name."""
    above = os.path.relpath(FOLDER, folder)
    text = text.replace("../../components", f"{above}/components")
    text = re.sub(r"\[\.\./(\w+)\]", rf"[{above}/overlays/\1]", text)
    (folder / "kustomization.yaml").write_text(text)
    return str(folder)


def test_the_overlay_of_the_documentation_says_what_it_is_to_say(
    tmp_path: Path,
) -> None:
    page = (ROOT / "docs/growing.md").read_text()
    (text,) = re.findall(r"```yaml\n(.*?kind: Kustomization.*?)```", page, re.DOTALL)
    name = overlay(tmp_path, text)
    images = {container["image"] for _, _, container in containers(name)}
    own = "registry.example.org"
    assert images == {f"{own}/node:1", f"{own}/nginx:1", f"{own}/shipper:1"}
    assert settings(name)["CLUSTER"] == "berlin-1"
    assert "10.244.0.0/16" in settings(name, "nginx-exporter-settings")["PROBE_ALLOW"]


def test_with_selinux_the_two_see_the_node(tmp_path: Path) -> None:
    component = "components: [../../components/selinux]"
    assert component in (ROOT / "docs/growing.md").read_text()
    name = overlay(tmp_path, f"resources: [../plain]\n{component}\n")
    assert {
        pod: spec["securityContext"].get("seLinuxOptions")
        for pod, _, spec in pods(name)
    } == {
        "node-exporter": {"type": "spc_t"},
        "promtail": {"type": "spc_t"},
        "nginx-exporter": None,
        "loki": None,
    }
    for manifest in built(name):
        strictly(manifest, VERSIONS[-1])
