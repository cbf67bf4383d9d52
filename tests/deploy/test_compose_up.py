"""How a stack is started, against a `docker-compose` of our own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy.stack import compose
from deploy.stack.compose import Compose
from deploy.stack.images import Source
from deploy.stack.settings import load
from deploy.stack.shell import StackError


PROGRAM = """#!/bin/sh
while [ "${{1#--}}" != "$1" ]; do
  case $1 in --project-directory) shift ;; esac
  shift
done
echo "$*" >>"{folder}/asked"
case $1 in
  ps) cat "{folder}/ps" ;;
  up) exit {code} ;;
esac
"""


def stack(folder: Path, monkeypatch: pytest.MonkeyPatch, code: int = 0) -> Compose:
    program = folder / "docker-compose"
    program.write_text(PROGRAM.format(folder=folder, code=code))
    program.chmod(0o755)
    monkeypatch.setattr(compose, "binary", lambda: str(program))
    return Compose(load(folder / ".env", folder), Source(offline=False, names={}))


def runs(folder: Path, **states: str) -> None:
    """Write what `ps` tells: *states* is state and health of each service."""
    rows = []
    for service, text in states.items():
        state, _, health = text.partition(" ")
        rows.append(
            {
                "Name": f"x-{service}",
                "Service": service,
                "State": state,
                "Health": health,
            }
        )
    (folder / "ps").write_text("\n".join(map(json.dumps, rows)))


def asked(folder: Path) -> list[str]:
    return [line.split()[0] for line in (folder / "asked").read_text().splitlines()]


def test_what_never_started_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may lack a network: an `up` that is cut off connects the second no more."""
    one = stack(tmp_path, monkeypatch)
    runs(tmp_path, mysql="running healthy", wordpress="created", nginx="exited")
    one.up()
    assert asked(tmp_path) == ["ps", "rm", "up"]
    assert "rm --force wordpress\n" in (tmp_path / "asked").read_text()


def test_what_runs_or_ran_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = stack(tmp_path, monkeypatch)
    runs(tmp_path, mysql="running healthy", nginx="exited")
    one.up()
    assert asked(tmp_path) == ["ps", "up"]


def test_who_is_ill_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = stack(tmp_path, monkeypatch, code=1)
    runs(tmp_path, mysql="running healthy", nginx="running unhealthy", loki="exited")
    with pytest.raises(StackError, match=r"^not healthy: x-nginx, x-loki: `docker"):
        one.up()
    with pytest.raises(StackError, match=r"^not healthy: x-nginx: `docker"):
        one.up("nginx")
    runs(tmp_path, mysql="running healthy", nginx="running")
    with pytest.raises(StackError, match="docker-compose"):
        one.up()
