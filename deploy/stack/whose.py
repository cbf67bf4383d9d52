"""Whose the stack of this name is: another folder's stack or database is left alone."""

from __future__ import annotations

from pathlib import Path

from deploy.stack.passwords import FILES
from deploy.stack.settings import DEPLOY, Settings
from deploy.stack.shell import StackError, output
from deploy.stack.volumes import exists


FOLDER = "com.docker.compose.project.working_dir"
# Without these a database that is there lets nobody in.
DATABASE = ("mysql_root_password", "mysql_password")


def check(settings: Settings) -> None:
    """Raise StackError where a start would take over, or lock out of, what is there."""
    name = settings.values["COMPOSE_PROJECT_NAME"]
    for folder in folders(name):
        if folder.exists() and not folder.samefile(DEPLOY):
            raise StackError(
                f"there is a stack {name} of {folder}: `make down` there, or "
                "set another COMPOSE_PROJECT_NAME, NAME_PREFIX and ports in "
                f"{settings.env_file}"
            )
    volume = f"{name}_mysql_data"
    if (path := missing(settings)) and exists(volume):
        raise StackError(
            f"{path} is missing, but not the database, the volume {volume}: write the "
            f"password there that it was made with, or `docker volume rm {volume}`"
        )


def folders(name: str) -> set[Path]:
    """Return the folder of each compose.yaml that made a container of stack *name*."""
    _, text = output(
        [
            "docker", "ps", "--all",
            f"--filter=label=com.docker.compose.project={name}",
            "--format", f'{{{{.Label "{FOLDER}"}}}}',
        ]
    )  # fmt: skip
    return {Path(line) for line in text.splitlines() if line.startswith("/")}


def missing(settings: Settings) -> Path | None:
    """Return the first password of the database that would be made anew."""
    for name in DATABASE:
        path = settings.secrets / name
        if not path.exists() and not settings.values.get(FILES[name]):
            return path
    return None
