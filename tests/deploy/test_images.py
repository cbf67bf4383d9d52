from __future__ import annotations

from pathlib import Path

import pytest

from deploy.stack import images, settings
from deploy.stack.settings import DEPLOY
from deploy.stack.shell import StackError


def test_debian_stand_ins_are_services_of_compose() -> None:
    compose = (DEPLOY / "compose.yaml").read_text()
    for variable, folder in images.DEBIAN.items():
        assert f"${{{variable}:-" in compose
        assert (DEPLOY / "debian" / folder / "Dockerfile").exists()


def test_our_own_images_are_not_pulled(tmp_path: Path) -> None:
    stack = settings.load(tmp_path / ".env", tmp_path)
    names = images.upstream_images(stack)
    assert not [name for name in names if name.startswith("monitoring-exporters/")]
    assert any(name.startswith("nginx:") for name in names)
    assert any(name.startswith("python:") for name in names)


def test_upstream_images_are_pinned(tmp_path: Path) -> None:
    stack = settings.load(tmp_path / ".env", tmp_path)
    for name in images.upstream_images(stack):
        _, colon, tag = name.partition(":")
        assert colon, name
        assert tag != "latest", name


def test_an_image_of_ones_own_is_the_one_that_is_pulled(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NGINX_IMAGE=example.org/nginx:1\n")
    stack = settings.load(tmp_path / ".env", tmp_path)
    assert "example.org/nginx:1" in images.upstream_images(stack)


def test_the_choice_is_remembered(tmp_path: Path) -> None:
    stack = settings.load(tmp_path / ".env", tmp_path)
    source = images.Source(offline=True, names={"NGINX_IMAGE": "local/nginx:trixie"})
    images.write(stack, source)
    images.write(stack, source)
    assert images.remembered(stack) == source


def test_digest_follows_content_and_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "ROOT", tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one").write_text("1")
    first = images.digest(tmp_path / "a")
    assert images.digest(tmp_path / "a") == first
    (tmp_path / "a/one").write_text("2")
    second = images.digest(tmp_path / "a")
    (tmp_path / "a/one").rename(tmp_path / "a/two")
    assert len({first, second, images.digest(tmp_path / "a")}) == 3


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `docker` that has no image, pulls and builds all, and notes its arguments."""
    calls = tmp_path / "calls"
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$*" >>{calls}\n'
        'case "$1 $PULL" in image*) exit 1;; "pull no") echo no route; exit 1;; esac\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.delenv("IMAGES", raising=False)
    return calls


def test_with_a_registry_all_is_pulled_and_ours_is_built(
    tmp_path: Path, docker: Path
) -> None:
    stack = settings.load(tmp_path / ".env", tmp_path)
    assert images.prepare(stack) == images.Source(offline=False, names={})
    calls = docker.read_text().splitlines()
    pulled = [call.split()[-1] for call in calls if call.startswith("pull")]
    assert pulled == images.upstream_images(stack)
    assert any(name.startswith("grafana/loki:") for name in pulled)
    built = [call for call in calls if call.startswith("build")]
    targets = [word for call in built for word in call.split() if "--target" in word]
    assert targets == ["--target=node", "--target=nginx", "--target=shipper"]
    assert not [call for call in built if "--build-arg" in call]
    assert images.remembered(stack) == images.Source(offline=False, names={})


def test_without_one_the_first_refusal_decides(
    tmp_path: Path,
    docker: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PULL", "no")
    stack = settings.load(tmp_path / ".env", tmp_path)
    assert not images.pulled(stack)
    assert "no registry can be reached (no route)" in capsys.readouterr().out
    calls = docker.read_text().splitlines()
    assert len([call for call in calls if call.startswith("pull")]) == 1


def test_a_choice_that_does_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGES", "alpine")
    stack = settings.load(tmp_path / ".env", tmp_path)
    with pytest.raises(StackError, match="IMAGES=alpine: expected auto, registry or"):
        images.prepare(stack)
