from __future__ import annotations

import pytest

from exporters.node import container


@pytest.mark.parametrize(
    ("environ", "files", "hosts_mounts", "inside"),
    [
        ({}, set(), False, False),
        ({"container": "podman"}, set(), False, True),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, set(), None, True),
        ({}, {"/.dockerenv"}, False, True),
        ({}, {"/run/.containerenv"}, None, True),
        # A virtual machine whose image was a container's.
        ({}, {"/.dockerenv"}, True, False),
    ],
)
def test_is_inside(
    environ: dict[str, str], files: set[str], hosts_mounts: bool | None, inside: bool
) -> None:
    found = container.is_inside(environ, files.__contains__, lambda _kind: hosts_mounts)
    assert found is inside
