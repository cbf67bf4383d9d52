"""What a backup says of itself: where it is from, and what each of its parts is."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from deploy.stack.shell import StackError


FORMAT = "monitoring-exporters backup"
VERSION = 1

README = "README"
MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
TABLES = "tables.sql.gz"
OBJECTS = "objects.sql.gz"
WORDPRESS = "wordpress.tar.gz"
GRAFANA = "grafana.tar.gz"
SETTINGS = "settings.tar.gz"
REQUIRED = (TABLES, OBJECTS, WORDPRESS, SETTINGS)
PARTS = (*REQUIRED, GRAFANA)

BY_HAND = f"""{FORMAT}
Put back by `make restore FROM=this-file`. By hand, with nothing but tar, gzip and the
database's client, after `sha256sum --check {SUMS}`:
    gunzip --stdout {TABLES} {OBJECTS} | mysql --binary-mode DATABASE
    tar --extract --gzip --numeric-owner --file {WORDPRESS} --directory FOLDER
It holds passwords (those of users are hashed): keep it where only you read it.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its size and hash in the file, and how large it is unpacked."""

    name: str
    bytes: int
    unpacked_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Where a backup is from, and its parts."""

    made: str
    host: str
    project: str
    stack_version: str
    database: str
    database_version: str
    wordpress_version: str
    wordpress_url: str
    table_prefix: str
    warnings: tuple[str, ...]
    parts: tuple[Part, ...]

    def encode(self) -> bytes:
        """Return the manifest as JSON."""
        said = {"format": FORMAT, "version": VERSION, **asdict(self)}
        return (json.dumps(said, indent=2) + "\n").encode()


def decode(data: bytes) -> Manifest:
    """Return the manifest that *data* holds; raise StackError with what is wrong."""
    try:
        said = json.loads(data)
    except ValueError as error:
        raise StackError(f"{MANIFEST} is not JSON: {error}") from error
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise StackError(f"{MANIFEST} is not of a {FORMAT}")
    if said.get("version") != VERSION:
        raise StackError(
            f"{MANIFEST} is of version {said.get('version')}, this program reads "
            f"version {VERSION}"
        )
    texts = {f.name: text(said, f.name) for f in fields(Manifest) if f.type == "str"}
    warnings = tuple(map(str, listed(said, "warnings")))
    parts = tuple(map(decode_part, listed(said, "parts")))
    return Manifest(**texts, warnings=warnings, parts=parts)


def decode_part(said: Any) -> Part:
    """Return one part of a manifest."""
    if not isinstance(said, dict):
        raise StackError(f"{MANIFEST}: a part is {said!r}, expected an object")
    sizes = (count(said, "bytes"), count(said, "unpacked_bytes"))
    return Part(text(said, "name"), *sizes, text(said, "sha256"))


def count(said: dict[str, Any], name: str) -> int:
    """Return the number of bytes *name* of an object."""
    value = said.get(name)
    if not isinstance(value, int) or value < 0:
        raise StackError(f"{MANIFEST}: {name} is {value!r}, expected a number")
    return value


def text(said: dict[str, Any], name: str) -> str:
    """Return the text *name* of an object."""
    value = said.get(name)
    if not isinstance(value, str):
        raise StackError(f"{MANIFEST}: {name} is {value!r}, expected a text")
    return value


def listed(said: dict[str, Any], name: str) -> list[Any]:
    """Return the list *name* of an object."""
    value = said.get(name)
    if not isinstance(value, list):
        raise StackError(f"{MANIFEST}: {name} is {value!r}, expected a list")
    return value
