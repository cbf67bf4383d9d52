from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.stack import passwords
from deploy.stack.settings import DEPLOY, Settings, load, parse
from deploy.stack.shell import StackError


def ensured(folder: Path) -> Settings:
    settings = load(folder / ".env", folder / "state")
    passwords.ensure(settings)
    return settings


def test_the_first_run_makes_passwords_in_a_folder_of_the_owner(tmp_path: Path) -> None:
    settings = ensured(tmp_path)
    assert settings.secrets == tmp_path / ".secrets"
    assert stat.S_IMODE(settings.secrets.stat().st_mode) == 0o700
    files = {path.name: path for path in settings.secrets.iterdir()}
    beside = {"mysql_exporter.cnf", *passwords.ADDRESSES}
    assert files.keys() == passwords.FILES.keys() | beside
    assert {stat.S_IMODE(path.stat().st_mode) for path in files.values()} == {0o644}
    made = {files[name].read_text() for name in passwords.FILES}
    assert len(made) == len(passwords.FILES)
    assert all(len(password) >= 32 for password in made)
    assert not any(password in settings.env_file.read_text() for password in made)


def test_the_second_run_keeps_them(tmp_path: Path) -> None:
    settings = ensured(tmp_path)
    first = {path: path.read_text() for path in settings.secrets.iterdir()}
    ensured(tmp_path)
    assert {path: path.read_text() for path in settings.secrets.iterdir()} == first


def test_passwords_of_an_older_env_move(tmp_path: Path) -> None:
    text = "# mine\nMYSQL_PASSWORD='old one'\nNGINX_PORT=80\nGRAFANA_PASSWORD=g\n"
    (tmp_path / ".env").write_text(text)
    settings = ensured(tmp_path)
    assert (settings.secrets / "mysql_password").read_text() == "old one"
    assert (settings.secrets / "grafana_password").read_text() == "g"
    left = settings.env_file.read_text()
    assert left.startswith("# mine\nNGINX_PORT=80\n")
    assert not parse(left).keys() & set(passwords.FILES.values())
    assert stat.S_IMODE(settings.env_file.stat().st_mode) == 0o600


def test_an_empty_file_is_no_password(tmp_path: Path) -> None:
    settings = ensured(tmp_path)
    (settings.secrets / "mysql_password").write_text("\n")
    with pytest.raises(StackError, match="mysql_password is empty"):
        passwords.ensure(settings)


def test_the_folder_is_where_compose_looks(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SECRETS_DIR=../elsewhere\n")
    settings = load(tmp_path / ".env", tmp_path / "state")
    assert settings.secrets == DEPLOY / "../elsewhere"


def test_mysqld_exporter_is_given_the_password_of_its_user(tmp_path: Path) -> None:
    secrets = ensured(tmp_path).secrets
    for password in ("", "another", 'a\'"\\ # ü; `x` %(y)s"'):
        if password:
            (secrets / "mysql_exporter_password").write_text(password + "\n")
            ensured(tmp_path)
        expected = (secrets / "mysql_exporter_password").read_text().rstrip("\n")
        lines = (secrets / "mysql_exporter.cnf").read_text().splitlines()
        last = f'password = """{expected}"""'
        assert lines == ["[client]", "user = exporter", last]


def test_who_wants_alerts_hears_that_nobody_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ensured(tmp_path)
    assert capsys.readouterr().out == ""
    (tmp_path / ".env").write_text("COMPOSE_PROFILES=alerts\n")
    settings = ensured(tmp_path)
    assert "alertmanager_webhook_url is empty" in capsys.readouterr().out
    for name in passwords.ADDRESSES:
        (settings.secrets / name).write_text("https://hooks.example.org/x")
    ensured(tmp_path)
    assert capsys.readouterr().out == ""


def test_a_password_that_mysqld_exporter_would_not_use(tmp_path: Path) -> None:
    secrets = ensured(tmp_path).secrets
    (secrets / "mysql_exporter_password").write_text("a$1")
    with pytest.raises(StackError, match=r"mysql_exporter_password: expected no \$,"):
        ensured(tmp_path)


@pytest.mark.parametrize("made", [Path.mkdir, lambda path: path.write_bytes(b"\xff")])
def test_what_is_no_password_is_one_line(
    tmp_path: Path, made: Callable[[Path], object]
) -> None:
    """Such as the folder that Docker makes where a mounted file is missing."""
    path = ensured(tmp_path).secrets / "mysql_password"
    path.unlink()
    made(path)
    with pytest.raises(StackError, match=r"mysql_password: .*expected (a file|text)"):
        ensured(tmp_path)
