"""The login of the swarm: made once, and never half."""

from __future__ import annotations

import stat
from pathlib import Path

import bcrypt
import pytest
import yaml

from deploy.swarm import login


def test_the_hash_is_that_of_the_password(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert login.main([str(folder)]) == 0
    users = yaml.safe_load((folder / "web.yml").read_text())["basic_auth_users"]
    password = (folder / "web_password").read_bytes()
    assert users.keys() == {login.USER}
    assert bcrypt.checkpw(password, users[login.USER].encode())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_is_there_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert login.main([str(tmp_path)]) == 0
    before = {path: path.read_text() for path in tmp_path.iterdir()}
    printed = capsys.readouterr().out
    assert login.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""
    assert {path: path.read_text() for path in tmp_path.iterdir()} == before
    assert (tmp_path / "web_password").read_text() not in printed


@pytest.mark.parametrize("missing", ["web.yml", "web_password"])
def test_half_a_login_is_not_made_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    login.make(tmp_path)
    (tmp_path / missing).unlink()
    assert login.main([str(tmp_path)]) == 1
    assert f"{missing} is not" in capsys.readouterr().err
    assert not (tmp_path / missing).exists()


def test_a_flag_is_no_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert login.main(["--help"]) == 2
    assert "usage" in capsys.readouterr().err


def test_the_folder_is_that_of_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path / "named"))
    assert login.main([]) == 0
    assert (tmp_path / "named" / "web.yml").exists()
