"""The stack's own settings in a backup: .env, passwords, certificates.

They go to a machine that has none. One that has some keeps them: its ports are its own,
and its database was made with its own passwords.
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

from deploy.stack.backup.manifest import SETTINGS
from deploy.stack.backup.reading import Archive
from deploy.stack.settings import Settings, load, parse
from deploy.stack.shell import StackError, say


ENV, SECRETS, CERTIFICATES = "env", "secrets", "certificates"
# Where things are on the machine that made the backup says nothing of another.
PLACES = ("SECRETS_DIR", "CERTIFICATES_DIR", "BACKUP_DIR", "PROMETHEUS_CONFIG")
LARGEST, ALL = 1 << 20, 1 << 26
# Without the prefix of its tables a site is a new one; compose.yaml passes it on.
PREFIX, USUAL_PREFIX = "WORDPRESS_TABLE_PREFIX", "wp_"


def packed(settings: Settings) -> bytes:
    """Return a tar of the settings, which are small."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, path in sorted(files(settings)):
            data = path.read_bytes()
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o600
            member.mtime = path.stat().st_mtime
            tar.addfile(member, io.BytesIO(data))
    return target.getvalue()


def files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Yield each file of the settings and its name in a backup.

    What is too large for a password or a certificate is something else.
    """
    yield ENV, settings.env_file
    for kind, folder in places(settings).items():
        for path in folder.glob("[!.]*"):
            if path.is_file() and path.stat().st_size <= LARGEST:
                yield f"{kind}/{path.name}", path


def places(settings: Settings) -> dict[str, Path]:
    """Return the folder of each kind of file."""
    return {SECRETS: settings.secrets, CERTIFICATES: settings.certificates}


def settle(archive: Archive, env_file: Path, state: Path) -> Settings:
    """Return this machine's settings; one without an .env gets the backup's."""
    kept = unpacked(archive)
    values = parse(kept.get(ENV, b"").decode())
    if env_file.exists():
        settings = load(env_file, state)
        agree(settings, values)
        return settings
    say(f"{env_file}, passwords and certificates come from the backup")
    lines = kept.get(ENV, b"").decode().splitlines(keepends=True)
    own = [line for line in lines if not parse(line).keys() & set(PLACES)]
    create(env_file, "".join(own).encode(), 0o600)
    settings = load(env_file, state)
    for name, data in kept.items():
        kind, _, file = name.partition("/")
        if file and not (path := places(settings)[kind] / file).exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # A container's user reads the mounted file; the folder keeps out the rest.
            create(path, data, 0o644)
    return settings


def agree(settings: Settings, values: dict[str, str]) -> None:
    """Raise StackError when the backup's site would not be found with *settings*."""
    there = values.get(PREFIX) or USUAL_PREFIX
    here = settings.values.get(PREFIX) or USUAL_PREFIX
    if there != here:
        raise StackError(
            f"{settings.env_file}: {PREFIX}={here}, the backup has {there}: "
            f"write {PREFIX}={there} there and start again"
        )


def unpacked(archive: Archive) -> dict[str, bytes]:
    """Return each file of the settings by its name; raise StackError at a stranger."""
    part = archive.part(SETTINGS)
    if part is None or part.unpacked_bytes > ALL:
        raise StackError(f"{archive.path}: {SETTINGS}: expected at most {ALL} bytes")
    data = b"".join(archive.unpacked(SETTINGS))
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
        for member in tar:
            if not (known(member.name) and member.isfile() and member.size <= LARGEST):
                raise StackError(f"{archive.path}: {SETTINGS}: unknown {member.name!r}")
            file = tar.extractfile(member)
            assert file is not None
            found[member.name] = file.read()
    return found


def known(name: str) -> bool:
    """Whether `packed` gives a file such a *name*, which leads nowhere else."""
    folder, _, file = name.partition("/")
    visible = bool(file) and "/" not in file and not file.startswith(".")
    return name == ENV or (folder in {SECRETS, CERTIFICATES} and visible)


def create(path: Path, data: bytes, mode: int) -> None:
    """Write a new file that never was readable for more than *mode* says."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(data)
