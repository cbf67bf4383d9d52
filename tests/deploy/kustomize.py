"""What `kubectl apply -k` would send of deploy/kubernetes."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from deploy.stack.settings import DEPLOY
from tests.programs import SID


FOLDER = DEPLOY / "kubernetes"
BUILDS = [
    *(f"overlays/{path.name}" for path in sorted((FOLDER / "overlays").iterdir())),
    *(f"examples/{path.name}" for path in sorted((FOLDER / "examples").iterdir())),
]
OVERLAYS = [name for name in BUILDS if name.startswith("overlays/")]
VERSIONS = ("1.29", "1.37")
PODMONITOR = json.loads(Path(__file__).with_name("podmonitor.schema.json").read_text())

Manifest = dict[str, Any]


def command() -> list[str] | None:
    """Return how to build, by kustomize itself or by kubectl, which has one inside."""
    path = f"{os.environ['PATH']}:{SID}"
    if found := os.environ.get("KUSTOMIZE") or shutil.which("kustomize", path=path):
        return [found, "build"]
    kubectl = shutil.which("kubectl")
    return [kubectl, "kustomize"] if kubectl else None


@functools.cache
def built(name: str) -> tuple[Manifest, ...]:
    """Return what `kubectl apply -k` would send of the folder *name*."""
    kustomize = command()
    if kustomize is None:
        pytest.skip("no kustomize: neither KUSTOMIZE, nor in PATH (deploy/oracles)")
    done = subprocess.run(
        [*kustomize, FOLDER / name], check=False, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # nothing deprecated
    return tuple(yaml.safe_load_all(done.stdout))


def strictly(manifest: Manifest, version: str) -> None:
    """Raise ValidationError for a field that Kubernetes *version* does not know."""
    if manifest["apiVersion"].startswith("monitoring.coreos.com/"):
        jsonschema.validate(manifest, PODMONITOR)
    else:
        kubernetes_validate.validate(manifest, version, strict=True)


def pods(name: str) -> Iterator[tuple[str, Manifest, Manifest]]:
    """Yield the name, the metadata and the spec of every pod of a build."""
    for manifest in built(name):
        if template := manifest.get("spec", {}).get("template"):
            yield manifest["metadata"]["name"], template["metadata"], template["spec"]


def containers(name: str) -> Iterator[tuple[str, Manifest, Manifest]]:
    for pod, _, spec in pods(name):
        for container in spec["containers"]:
            yield f"{pod}/{container['name']}", spec, container


def settings(name: str, of: str = "promtail-settings") -> dict[str, str]:
    """Return what the shipper's configuration is told by the overlay *name*."""
    (data,) = [
        m["data"]
        for m in built(name)
        if m["kind"] == "ConfigMap" and m["metadata"]["name"].startswith(of)
    ]
    return dict(data)
