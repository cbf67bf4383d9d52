"""Volumes of an older version change hands, and nobody's log tells of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.stack.adopt import IMAGE, OWNERS, adopt
from deploy.stack.images import present
from deploy.stack.settings import Settings, load
from deploy.stack.volumes import exists, helper


pytestmark = [pytest.mark.docker, pytest.mark.timeout(120)]

PROJECT = "adopt-test"
VOLUME = f"{PROJECT}_promtail_data"


def docker(*arguments: str) -> str:
    done = subprocess.run(
        ["docker", *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings of a stack that has one of the volumes, with a file of root's."""
    if not present(IMAGE):
        pytest.skip(f"no image {IMAGE}: make e2e builds it")
    (tmp_path / ".env").write_text(f"COMPOSE_PROJECT_NAME={PROJECT}\n")
    docker("volume", "create", VOLUME)
    try:
        inside("touch /volume/positions.yaml")
        yield load(tmp_path / ".env", tmp_path)
    finally:
        docker("volume", "rm", "-f", VOLUME)


def inside(script: str) -> str:
    return docker(
        "run", "--rm", "--network=none", "--user=0:0", f"--volume={VOLUME}:/volume",
        "--entrypoint=sh", IMAGE, "-c", script,
    )  # fmt: skip


def test_what_is_roots_becomes_its_users_once(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inside("stat -c %u:%g /volume/positions.yaml") == "0:0"
    adopt(settings)
    owner = OWNERS["promtail_data"]
    assert inside("stat -c %u:%g /volume /volume/positions.yaml").split() == [owner] * 2
    assert f"{VOLUME} belongs to {owner} now" in capsys.readouterr().out
    adopt(settings)
    assert capsys.readouterr().out == ""
    assert not exists(f"{PROJECT}_wordpress_data"), "none is made"


@pytest.mark.usefixtures("settings")
def test_a_helper_leaves_no_log_that_would_be_shipped() -> None:
    _, _, *options = helper("test")
    made = docker("create", *options, IMAGE)
    try:
        (found,) = json.loads(docker("inspect", made))
    finally:
        docker("rm", made)
    assert found["HostConfig"]["LogConfig"]["Type"] == "none"
    # The one that deploy/shipper/config.yaml drops.
    assert found["Config"]["Labels"]["monitoring-exporters.helper"] == "test"
