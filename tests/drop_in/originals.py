"""Images under the originals' names, of Debian's binaries or those that were named.

An image that is here under that name already is taken as it is: with a registry,
`docker pull` gives the originals themselves.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.stack.images import BASE, present
from deploy.stack.settings import ROOT
from tests.drop_in.projects import Project, repository_of


LOKI = "local/loki:drop-in"
UNPACKED = ROOT / "deploy" / ".state" / "oracles"


@dataclass(frozen=True)
class Original:
    """A program that can be had, and what its image is like."""

    variable: str  # names the binary
    unpacked: str  # where deploy/oracles puts it
    program: str  # its path in the image
    user: str
    lines: tuple[str, ...] = ()


# prom/node-exporter stands on busybox, which has a wget.
WGET = (
    "RUN apt-get update -qq && apt-get install -y -qq busybox",
    "RUN ln -s /bin/busybox /bin/wget",
)
NODE = Original(
    "NODE_EXPORTER", "usr/bin/prometheus-node-exporter", "/bin/node_exporter",
    "nobody", WGET,
)  # fmt: skip
NGINX = Original(
    "NGINX_EXPORTER", "usr/bin/prometheus-nginx-exporter",
    "/usr/bin/nginx-prometheus-exporter", "1001",
)  # fmt: skip
PROMTAIL = Original("PROMTAIL", "", "/usr/bin/promtail", "root")


def new(original: Original) -> Original:
    """Return the same program, the newest that Debian has."""
    return Original(
        f"{original.variable}_SID", f"sid/{original.unpacked}", original.program,
        original.user, original.lines,
    )  # fmt: skip


def of(image: str) -> Original | None:
    """Return what stands behind *image*, if it is one of the three."""
    repository, _, tag = image.partition(":")
    if repository == "grafana/promtail":
        return PROMTAIL
    if repository == "prom/node-exporter":
        return NODE if tag.startswith("v1.5") else new(NODE)
    if repository == "nginx/nginx-prometheus-exporter":
        return NGINX if tag.startswith("0.") else new(NGINX)
    return None


def binary(original: Original) -> Path | None:
    """Return the program of *original*, if there is one on this machine."""
    named = os.environ.get(original.variable, "")
    for path in (named, original.unpacked and str(UNPACKED / original.unpacked)):
        if path and shutil.which(path):
            return Path(path)
    return None


def make(projects: Sequence[Project]) -> tuple[frozenset[str], list[str]]:
    """Have the originals' images; return the repositories, and what was built."""
    had: set[str] = set()
    built: list[str] = []
    named = {name for p in projects for name in p.compose("config", "--images").split()}
    for image in sorted(named):
        original = of(image)
        if original is None:
            continue
        if not present(image):
            program = binary(original)
            if program is None:
                continue
            _build(image, original, program)
            built.append(image)
        had.add(repository_of(image))
    return frozenset(had), built


def forget(built: Sequence[str]) -> None:
    """Take the originals' names from what is not them."""
    if built:
        subprocess.run(["docker", "rmi", *built], check=True, capture_output=True)


def loki() -> str:
    """Return the real Loki that LOKI names, if there is one on this machine."""
    return shutil.which(os.environ.get("LOKI", "")) or ""


def make_loki() -> str:
    """Build an image of it that is configured as its own image is; return the name."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(loki(), Path(folder) / "program")
        shutil.copy(ROOT / "deploy/loki/loki.yaml", folder)
        lines = (
            f"FROM {BASE}",
            "COPY program /usr/bin/loki",
            "COPY loki.yaml /etc/loki/local-config.yaml",
            'ENTRYPOINT ["/usr/bin/loki"]',
            'CMD ["-config.file=/etc/loki/local-config.yaml"]',
        )
        _docker_build(LOKI, folder, lines)
    return LOKI


def _build(image: str, original: Original, program: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(program, Path(folder) / "program")
        lines = (
            f"FROM {BASE}",
            *original.lines,
            f"COPY program {original.program}",
            f"USER {original.user}",
            f'ENTRYPOINT ["{original.program}"]',
        )
        _docker_build(image, folder, lines)


def _docker_build(image: str, folder: str, lines: Sequence[str]) -> None:
    (Path(folder) / "Dockerfile").write_text("\n".join(lines) + "\n")
    subprocess.run(
        ["docker", "build", "-q", "-t", image, folder], check=True, capture_output=True
    )
