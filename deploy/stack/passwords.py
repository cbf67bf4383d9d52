"""The stack's passwords: one file each, made once, mounted below /run/secrets.

A password in the environment shows in /proc and in `docker inspect`, which the shipper
may ask for. A file shows nowhere.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from deploy.stack.settings import Settings, drop, read
from deploy.stack.shell import StackError, say


# Each file, and the variable that held the same password in the .env of older versions.
FILES = {
    "mysql_root_password": "MYSQL_ROOT_PASSWORD",
    "mysql_password": "MYSQL_PASSWORD",
    "mysql_exporter_password": "",
    "phpmyadmin_secret": "",
    "grafana_password": "GRAFANA_PASSWORD",
}
# Where Alertmanager tells of alerts: addresses with a key in them, which only their
# owner knows. Write them in place, since a mount stays with the file it began with.
ADDRESSES = ("alertmanager_webhook_url", "alertmanager_watchdog_url")


def ensure(settings: Settings) -> None:
    """Make what is missing in the folder; move the passwords of an older .env there.

    Raises StackError for a password that is empty.
    """
    # Who may not enter the folder reads no file in it. The files are for everybody: a
    # container's user is somebody else, and the mount leads past the folder.
    settings.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.secrets.chmod(0o700)
    make_passwords(settings)
    write_option_file(settings.secrets)
    make_addresses(settings)


def make_passwords(settings: Settings) -> None:
    """Give each file of FILES a password, the one of an older .env if there is."""
    moved = {
        variable: value
        for variable in filter(None, FILES.values())
        if (value := settings.values.get(variable))
    }
    for name, variable in FILES.items():
        path = settings.secrets / name
        if not path.exists():
            write(path, moved.get(variable) or secrets.token_urlsafe(24))
        elif not read(path).strip():
            raise StackError(f"{path} is empty: write the password there or remove it")
    if moved:
        drop(settings.env_file, moved)
        say(f"passwords are now files in {settings.secrets}")


def make_addresses(settings: Settings) -> None:
    """Make an empty file for each address; say so while nobody has filled it in."""
    for path in (settings.secrets / name for name in ADDRESSES):
        if not path.exists():
            write(path, "")
        if "alerts" in settings.profiles and not read(path).strip():
            say(f"nobody is told of alerts: {path} is empty")


def write_option_file(folder: Path) -> None:
    """Write what mysqld_exporter reads: its password as an option file of MySQL.

    It knows no escapes. Between three quotes all stands for itself but the dollar,
    which it takes for a variable of its environment.
    """
    source = folder / "mysql_exporter_password"
    password = source.read_text().rstrip("\n")
    if "$" in password:
        raise StackError(f"{source}: expected no $, mysqld_exporter would replace it")
    text = f'[client]\nuser = exporter\npassword = """{password}"""\n'
    path = folder / "mysql_exporter.cnf"
    if not path.exists() or path.read_text() != text:
        write(path, text)


def write(path: Path, value: str) -> None:
    """Write a secret whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, 0o644)
        file.write(value)
        file.flush()
        os.fsync(descriptor)
    part.rename(path)
