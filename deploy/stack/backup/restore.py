"""`make restore`: the site of a backup in the place of what is here.

Everything slow happens beside the running site: the file is verified, the dump loaded
into a database of another name, the files unpacked into a folder that nobody sees.
Only then does WordPress stop, both change places by name, and it starts again.
"""

from __future__ import annotations

import argparse
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.stack import (
    certificates,
    engine,
    images,
    passwords,
    ports,
    report,
    values,
    whose,
)
from deploy.stack.backup import folder, machine, reading, swap, turn
from deploy.stack.backup.manifest import GRAFANA, OBJECTS, TABLES, WORDPRESS
from deploy.stack.backup.options import parsed
from deploy.stack.backup.reading import Archive
from deploy.stack.backup.site import Site
from deploy.stack.backup.volume import Volume
from deploy.stack.compose import Compose
from deploy.stack.settings import DEFAULTS, Settings, parse, read
from deploy.stack.shell import StackError, say
from deploy.stack.volumes import exists


EMPTY = (
    'test -z "$(find wp-content/uploads -type f 2>/dev/null | head -n 1)" || echo no'
)


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    source: Path
    yes: bool
    check: bool


def options(rest: Sequence[str]) -> Options:
    """Return what *rest* asks for; raise StackError when it is not understood."""
    parser = argparse.ArgumentParser(prog="restore", exit_on_error=False)
    parser.add_argument("source", type=Path, nargs="?")
    parser.add_argument("--yes", action="store_true")
    parser.add_argument("--check", action="store_true")
    found = parsed(parser, rest)
    if found.source is None:
        raise StackError("restore: from what? FROM=a backup, or a folder of them")
    return Options(found.source, found.yes, found.check)


def run(env_file: Path, state: Path, rest: Sequence[str]) -> None:
    """Verify a backup, then put it back.

    It reads the settings itself: a machine that has none gets those of the backup.
    """
    wanted = options(rest)
    archive = reading.opened(chosen(wanted.source, env_file))
    made = f"{archive.manifest.project} of {archive.manifest.made}"
    say(f"verifying {archive.path} ({made})")
    reading.verify(archive)
    if wanted.check:
        say("it is whole; nothing was changed")
        return
    settings = machine.settle(archive, env_file, state)
    with turn.stoppable(), turn.alone(settings.state):
        site = ready(settings)
        if not wanted.yes and (what := present(site)):
            raise StackError(
                f"the stack {site.project} has {what}: YES=1 (--yes) replaces it, "
                "make backup keeps it first"
            )
        Restoring(settings, site, archive).everything()


def chosen(source: Path, env_file: Path) -> Path:
    """Return the backup *source*, or the newest in the folder *source*."""
    if not source.is_dir():
        return source
    found = parse(read(env_file)) if env_file.exists() else {}
    name = "COMPOSE_PROJECT_NAME"
    return folder.newest(source, found.get(name, DEFAULTS[name]))


def ready(settings: Settings) -> Site:
    """Return the stack with a database that answers, from nothing where need be."""
    values.check(settings)
    engine.ensure()
    whose.check(settings)
    passwords.ensure(settings)
    if "tls" in settings.profiles:
        certificates.ensure(settings)
    if not Site.look(settings).runs("mysql"):
        compose = Compose(settings, images.prepare(settings))
        compose.up("mysql")
    site = Site.look(settings)
    if not site.runs("nginx"):
        ports.check(
            settings.address("NGINX_PORT"),
            settings.values["NGINX_PORT"],
            f"set another NGINX_PORT in {settings.env_file}",
        )
    if not exists(site.wordpress.name):
        # Docker would make a volume that Compose does not know.
        site.compose.show("create", "--no-build", "wordpress")
    return site


def present(site: Site) -> str | None:
    """Return what a restore would replace, None when there is nothing."""
    database = site.database
    if tables := database.tables(database.name()):
        return f"a database of {len(tables)} tables"
    if site.wordpress.sh(EMPTY).strip():
        return "uploaded files"
    return None


def place(url: str) -> str:
    """Return host and port of *url*, to compare with another."""
    return urllib.parse.urlsplit(url).netloc.replace("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class Restoring:
    """One restore while it is made."""

    settings: Settings
    site: Site
    archive: Archive

    def everything(self) -> None:
        """Stage all, change places, start, remove what was replaced."""
        database = self.site.database
        name = database.name()
        volumes = self.volumes()
        try:
            say(f"loading the database beside {name}")
            swap.stage(database, name, self.archive.unpacked(TABLES))
            for part, volume in volumes.items():
                say(f"unpacking {part} beside the files of {volume.name}")
                volume.stage(self.archive.unpacked(part))
            self.change_places(name, volumes)
        finally:
            swap.tidy(database, name)
            for volume in volumes.values():
                volume.tidy()
        self.say_where()

    def volumes(self) -> dict[str, Volume]:
        """Return the volume of each part that is a folder and has a place here."""
        found = {WORDPRESS: self.site.wordpress}
        if self.archive.part(GRAFANA):
            if self.site.config["services"].get("grafana") and exists(
                self.site.grafana.name
            ):
                found[GRAFANA] = self.site.grafana
            else:
                say("there is no Grafana here: its part is left out")
        return found

    def change_places(self, name: str, volumes: dict[str, Volume]) -> None:
        """Put what was staged in place while nobody writes."""
        services = ["wordpress", *(["grafana"] if GRAFANA in volumes else [])]
        running = [service for service in services if self.site.runs(service)]
        try:
            if running:
                say(f"stopping {' and '.join(running)}")
                self.site.compose.show("stop", *running)
            with swap.swapped(self.site.database, name, self.archive.unpacked(OBJECTS)):
                for volume in volumes.values():
                    volume.swap()
        except BaseException:
            # What was interrupted while it stopped is up still, and soon not.
            self.site.compose.show("stop", *services)
            raise
        finally:
            # Whichever site it is now, the old or the new one.
            self.site.compose.up("nginx", *running)

    def say_where(self) -> None:
        """Say where the site is, and that its own idea of it may be another."""
        here, there = report.url(self.settings, "NGINX_PORT"), self.archive.manifest
        say(f"restored {there.project} of {there.made}; the site is at {here}")
        if place(there.wordpress_url) != place(here):
            say(
                f"it calls itself {there.wordpress_url} and sends visitors there: "
                "docs/backup.md says how to give it another address"
            )
        say("`make up` starts what does not run yet")
