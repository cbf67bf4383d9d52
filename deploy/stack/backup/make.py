"""`make backup`: everything of a running site into one file.

The database comes first, then the files. WordPress stores an upload before the row
that names it: whatever the dump names was on the disk before, and is in the files. What
comes in between is a file that nobody names, which is harmless; the other order would
give rows without their files.
"""

from __future__ import annotations

import argparse
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from deploy.stack.backup import folder as backups, machine, metrics, turn
from deploy.stack.backup.archive import Writer, written
from deploy.stack.backup.database import literal, select
from deploy.stack.backup.manifest import (
    BY_HAND,
    GRAFANA,
    MANIFEST,
    OBJECTS,
    README,
    SETTINGS,
    TABLES,
    WORDPRESS,
    Manifest,
    Part,
)
from deploy.stack.backup.options import parsed
from deploy.stack.backup.site import Site, address, table_prefixes
from deploy.stack.settings import DEPLOY, Settings
from deploy.stack.shell import StackError, output, say
from exporters.toolkit.version import __version__


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    to: Path
    keep: int | None
    quiet: bool


def options(settings: Settings, rest: Sequence[str]) -> Options:
    """Return what *rest* asks for; raise StackError when it is not understood."""
    parser = argparse.ArgumentParser(prog="backup", exit_on_error=False)
    parser.add_argument("--to", type=Path, default=default_folder(settings))
    parser.add_argument("--keep", type=int)
    parser.add_argument("--quiet", action="store_true")
    found = parsed(parser, rest)
    if found.keep is not None and found.keep < 1:
        raise StackError(f"KEEP={found.keep}: expected how many to keep, at least 1")
    return Options(found.to, found.keep, found.quiet)


def default_folder(settings: Settings) -> Path:
    """Return where backups go when nobody says where: BACKUP_DIR, or beside .env."""
    if named := settings.values.get("BACKUP_DIR"):
        return DEPLOY / named
    return settings.env_file.resolve().parent / "backups"


def backup(settings: Settings, rest: Sequence[str]) -> None:
    """Write a backup, remove those that are too many, and say so."""
    wanted = options(settings, rest)
    tell = (lambda _text: None) if wanted.quiet else say
    with turn.stoppable(), turn.alone(settings.state):
        site = Site.look(settings)
        wanted.to.mkdir(mode=0o700, parents=True, exist_ok=True)
        backups.remove_partial(wanted.to, site.project)
        now, began = datetime.now(UTC), time.monotonic()
        path = backups.path_for(wanted.to, site.project, now)
        tell(f"writing {path}")
        with written(path) as writer:
            manifest = Making(settings, site, now, writer).everything()
        took, size = time.monotonic() - began, path.stat().st_size
        metrics.write(settings.state, now.timestamp(), size, took)
        for warning in manifest.warnings:
            print(f"deploy: {warning}", file=sys.stderr)
        for part in manifest.parts:
            tell(f"  {part.name}: {part.unpacked_bytes:,} bytes, packed {part.bytes:,}")
        tell(f"{path}: {size:,} bytes in {took:.1f} s")
        if wanted.keep:
            for gone in backups.rotate(wanted.to, site.project, wanted.keep, path):
                tell(f"removed {gone}")


@dataclass(slots=True)
class Making:
    """One backup while it is made."""

    settings: Settings
    site: Site
    now: datetime
    writer: Writer
    parts: list[Part] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def everything(self) -> Manifest:
        """Write all parts, then what they are."""
        database = self.site.database
        name = database.name()
        prefixes = table_prefixes(database.tables(name))
        if not prefixes:
            raise StackError("WordPress is not installed yet: there is nothing to keep")
        self.warn_of_engines(name)
        self.writer.add(README, [BY_HAND.encode()])
        self.add(TABLES, database.dump_tables(name))
        self.add(OBJECTS, database.dump_objects(name))
        self.add_files()
        if self.site.runs("grafana") or self.site.frozen("grafana"):
            container = self.site.containers["grafana"]["ID"]
            if self.site.frozen("grafana"):
                output(["docker", "unpause", container])
            with self.paused(container):
                self.add(GRAFANA, self.site.grafana.pack())
        self.add(SETTINGS, [machine.packed(self.settings)])
        manifest = self.manifest(name, prefixes[0])
        self.writer.add(MANIFEST, [manifest.encode()])
        return manifest

    def add(self, name: str, chunks: Iterator[bytes] | list[bytes]) -> None:
        """Write one part."""
        self.parts.append(self.writer.add_packed(name, chunks))

    def add_files(self) -> None:
        """Write the site's files, but what no restore would take."""
        volume = self.site.wordpress
        unfit = volume.unfit()
        self.warnings += [f"{name!r} {why}: left out" for name, why in unfit]
        self.add(WORDPRESS, volume.pack([name for name, _ in unfit]))

    @contextmanager
    def paused(self, container: str) -> Iterator[None]:
        """Freeze *container*: a copy of its files is as after a power failure."""
        code, said = output(["docker", "pause", container])
        if code:
            self.warnings.append(f"copied while it was written: {said.strip()}")
        try:
            yield
        finally:
            if not code:
                output(["docker", "unpause", container])

    def warn_of_engines(self, name: str) -> None:
        """Say which tables cannot be of the same moment as the others."""
        others = "TABLE_TYPE = 'BASE TABLE' AND ENGINE <> 'InnoDB'"
        there = f"TABLE_SCHEMA = {literal(name)} AND {others}"
        found = self.site.database.names(select("TABLE_NAME", "TABLES", there))
        if found:
            tables = ", ".join(found)
            self.warnings.append(f"not InnoDB, so of a moment of their own: {tables}")

    def manifest(self, database: str, prefix: str) -> Manifest:
        """Return what there is to say of the backup."""
        server = self.site.database
        return Manifest(
            made=self.now.isoformat(timespec="seconds"),
            host=socket.gethostname(),
            project=self.site.project,
            stack_version=__version__,
            database=database,
            database_version=server.names("SELECT HEX(VERSION())")[0],
            wordpress_version=self.site.wordpress_version(),
            wordpress_url=address(server, database, prefix),
            table_prefix=prefix,
            warnings=tuple(self.warnings),
            parts=tuple(self.parts),
        )
