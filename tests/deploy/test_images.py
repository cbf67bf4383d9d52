from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from deploy.stack import images, settings
from deploy.stack.settings import DEPLOY


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


def test_every_service_is_checked_limited_and_on_the_one_network() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert list(compose["networks"]) == ["monitoring"]
    for name, service in compose["services"].items():
        assert service["healthcheck"]["test"], name
        assert service["networks"] == ["monitoring"], name
        assert service["logging"]["options"]["max-size"], name
        for port in service.get("ports", []):
            assert port.startswith("${BIND_ADDRESS:-127.0.0.1}:"), name
