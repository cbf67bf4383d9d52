"""Settings and passwords go to a machine that has none, and to no other."""

from __future__ import annotations

import io
import stat
import tarfile
from pathlib import Path

import pytest

from deploy.stack import passwords
from deploy.stack.backup import machine, reading
from deploy.stack.backup.manifest import SETTINGS
from deploy.stack.backup.reading import Archive
from deploy.stack.settings import Settings, load, parse
from deploy.stack.shell import StackError
from tests.deploy.test_backup_archive import CONTENT, make


@pytest.fixture
def old(tmp_path: Path) -> Settings:
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / ".env").write_text(
        f"# mine\nNGINX_PORT=1234\nNAME_PREFIX=old-\nSECRETS_DIR={folder}/private\n"
        "BACKUP_DIR=/srv\nWORDPRESS_TABLE_PREFIX=blog_\n"
    )
    settings = load(folder / ".env", folder / "state")
    passwords.ensure(settings)
    settings.certificates.mkdir()
    (settings.certificates / "privkey.pem").write_text("key")
    return settings


@pytest.fixture
def archive(old: Settings, tmp_path: Path) -> Archive:
    content = {**CONTENT, SETTINGS: machine.packed(old)}
    return reading.opened(make(tmp_path / "a.tar", content))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_machine_gets_all_of_it(
    old: Settings, archive: Archive, tmp_path: Path
) -> None:
    reading.verify(archive)
    new = tmp_path / "new"
    new.mkdir()
    settings = machine.settle(archive, new / ".env", new / "state")
    assert mode(new / ".env") == 0o600
    assert "# mine\n" in (new / ".env").read_text()
    expected = {k: v for k, v in old.values.items() if k not in machine.PLACES}
    assert parse((new / ".env").read_text()) == expected
    assert settings.secrets == new / ".secrets"
    assert mode(settings.secrets) == 0o700
    for name in passwords.FILES:
        path = settings.secrets / name
        assert path.read_text() == (old.secrets / name).read_text()
        assert mode(path) == 0o644
    assert (settings.certificates / "privkey.pem").read_text() == "key"
    assert mode(settings.certificates) == 0o700


def test_a_machine_with_settings_keeps_them(archive: Archive, tmp_path: Path) -> None:
    new = tmp_path / "new"
    new.mkdir()
    text = "NGINX_PORT=8080\nWORDPRESS_TABLE_PREFIX=blog_\n"
    (new / ".env").write_text(text)
    settings = machine.settle(archive, new / ".env", new / "state")
    assert settings.values["NGINX_PORT"] == "8080"
    assert (new / ".env").read_text().startswith(text)
    assert not settings.secrets.exists()


def test_another_prefix_of_the_tables_is_said(archive: Archive, tmp_path: Path) -> None:
    env = tmp_path / "new.env"
    env.write_text("NGINX_PORT=8080\n")
    with pytest.raises(StackError) as caught:
        machine.settle(archive, env, tmp_path / "state")
    assert str(caught.value) == (
        f"{env}: WORDPRESS_TABLE_PREFIX=wp_, the backup has blog_: "
        "write WORDPRESS_TABLE_PREFIX=blog_ there and start again"
    )


@pytest.mark.parametrize(
    "name",
    [
        "secrets/../../evil",
        "../env",
        "/etc/passwd",
        "evil",
        "secrets/a/b",
        "secrets/..",
    ],
)
def test_no_file_goes_elsewhere(tmp_path: Path, name: str) -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as file:
        file.addfile(tarfile.TarInfo(name))
    path = make(tmp_path / "a.tar", {**CONTENT, SETTINGS: target.getvalue()})
    with pytest.raises(StackError, match=r"unknown '"):
        machine.settle(reading.opened(path), tmp_path / "none", tmp_path / "state")
    assert not (tmp_path / "none").exists()


def test_the_password_is_not_in_the_clear(archive: Archive, old: Settings) -> None:
    """Whoever looks over a shoulder at the file sees none; its mode does the rest."""
    secret = (old.secrets / "mysql_password").read_bytes()
    assert secret not in archive.path.read_bytes()
    assert mode(archive.path) == 0o600
