"""A stack of the same name that is another's, against a `docker` of our own."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.stack import passwords, whose
from deploy.stack.settings import DEPLOY, Settings, load
from deploy.stack.shell import StackError


DOCKER = """#!/bin/sh
case $1 in
  ps) cat "{folder}/ps" ;;
  volume) test -e "{folder}/$3" ;;
esac
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    program = tmp_path / "bin/docker"
    program.parent.mkdir()
    program.write_text(DOCKER.format(folder=tmp_path))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    (tmp_path / "ps").write_text("")
    (tmp_path / ".env").write_text("COMPOSE_PROJECT_NAME=shop\n")
    return load(tmp_path / ".env", tmp_path / "state")


def test_another_checkout_keeps_its_stack(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "ps").write_text(f"{DEPLOY}\n{tmp_path / 'moved away'}\n\n")
    whose.check(settings)
    (tmp_path / "ps").write_text(f"{tmp_path}\n{tmp_path}\n")
    with pytest.raises(StackError) as caught:
        whose.check(settings)
    assert str(caught.value) == (
        f"there is a stack shop of {tmp_path}: `make down` there, or set another "
        f"COMPOSE_PROJECT_NAME, NAME_PREFIX and ports in {tmp_path / '.env'}"
    )


def test_a_database_does_not_lose_its_password(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "shop_mysql_data").touch()
    with pytest.raises(StackError) as caught:
        whose.check(settings)
    path = tmp_path / ".secrets/mysql_root_password"
    assert str(caught.value) == (
        f"{path} is missing, but not the database, the volume shop_mysql_data: write "
        "the password there that it was made with, or "
        "`docker volume rm shop_mysql_data`"
    )
    passwords.ensure(settings)
    whose.check(settings)
    (tmp_path / ".secrets/mysql_password").unlink()
    with pytest.raises(StackError, match=r"^.*/mysql_password is missing, but not"):
        whose.check(settings)


def test_an_older_version_has_them_in_its_env(tmp_path: Path) -> None:
    old = "MYSQL_ROOT_PASSWORD=a\nMYSQL_PASSWORD=b\n"
    (tmp_path / ".env").write_text(old)
    assert whose.missing(load(tmp_path / ".env", tmp_path / "state")) is None
