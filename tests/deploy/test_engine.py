"""What is said when there is no Docker Engine, without touching a real one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.stack import engine


@pytest.fixture
def no_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return tmp_path


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_without_docker_and_without_root(no_docker: Path) -> None:
    with pytest.raises(engine.NoEngineError, match="only root on Debian or Ubuntu"):
        engine.ensure()


def test_an_engine_that_may_not_be_used(no_docker: Path) -> None:
    program(no_docker, "docker", "echo 'permission denied: docker.sock' >&2; exit 1")
    with pytest.raises(
        engine.NoEngineError,
        match=r"cannot be used \(permission denied: docker.sock\): .*group docker",
    ):
        engine.ensure()


def test_a_remote_engine_that_is_away_is_named(
    no_docker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(engine.NoEngineError, match=r"DOCKER_HOST=tcp://192\.0\.2\.1"):
        engine.ensure()


def test_an_engine_that_answers_is_left_alone(no_docker: Path) -> None:
    program(no_docker, "docker", "echo 28.2.2")
    engine.ensure()
    assert sorted(path.name for path in no_docker.iterdir()) == ["docker"]


def test_root_without_docker_installs_and_starts_it(
    no_docker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(engine, "DAEMON_LOG", no_docker / "dockerd.log")
    for name in ("env", "sh", "touch", "cp", "chmod", "test", "setsid"):
        (no_docker / name).symlink_to(f"/usr/bin/{name}")
    installed = no_docker / "installed"
    program(
        no_docker,
        "apt-get",
        f"[ $1 = install ] || exit 0\n"
        f'echo "$*" >{installed}\n'
        f"printf '#!/bin/sh\\ntest -e {no_docker}/started\\n' >{no_docker}/docker\n"
        f"printf '#!/bin/sh\\ntouch {no_docker}/started\\n' >{no_docker}/dockerd\n"
        f"chmod +x {no_docker}/docker {no_docker}/dockerd",
    )
    monkeypatch.setattr(engine, "Path", lambda _: no_docker / "no-systemd")
    engine.ensure()
    assert installed.read_text().split()[-1] == "docker.io"
    assert (no_docker / "started").exists()
