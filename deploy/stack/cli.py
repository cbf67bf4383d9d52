"""The commands behind the Makefile."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.stack import (
    certificates,
    engine,
    images,
    local,
    passwords,
    ports,
    report,
    values,
    whose,
)
from deploy.stack.adopt import adopt
from deploy.stack.backup import restore
from deploy.stack.backup.make import backup
from deploy.stack.compose import Compose
from deploy.stack.settings import DEPLOY, Settings, load
from deploy.stack.shell import StackError, say


# Stopped last, and by Compose in their own order.
ROAD_OF_LOGS = frozenset({"docker-proxy", "promtail", "loki"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; what went wrong is one line and exit code 1."""
    arguments = parser().parse_args(argv)
    place = arguments.env_file, arguments.state
    try:
        if arguments.command == "restore":
            # Where there are no settings yet it takes those of the backup.
            restore.run(*place, arguments.rest)
        else:
            COMMANDS[arguments.command](load(*place), arguments.rest)
    except StackError as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"deploy: {error.filename or ''}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("deploy: interrupted", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the command line: a command, and where the stack keeps its files."""
    result = argparse.ArgumentParser(prog="deploy.stack", description=__doc__)
    result.add_argument("--env-file", type=Path, default=DEPLOY / ".env")
    result.add_argument("--state", type=Path, default=DEPLOY / ".state")
    result.add_argument("command", choices=[*COMMANDS, "restore"])
    result.add_argument("rest", nargs="*", help="further arguments for the command")
    return result


def up(settings: Settings, _rest: Sequence[str]) -> None:
    """Install what is missing, make the images, start the stack, say where it is."""
    values.check(settings)
    try:
        engine.ensure()
    except engine.NoEngineError as error:
        say(f"no Docker Engine: {error}")
        say("starting what runs without it, as `make local` does")
        return local.up(settings, [])
    whose.check(settings)
    source = images.prepare(settings)
    passwords.ensure(settings)
    adopt(settings)
    renewed = "tls" in settings.profiles and certificates.ensure(settings)
    compose = Compose(settings, source)
    if not compose.running():
        check_ports(settings, offline=source.offline)
    compose.up()
    if renewed:  # nginx may have been up with the old one
        compose.show("kill", "--signal=HUP", "nginx")
    say("everything is up:")
    report.show(report.addresses(settings, offline=source.offline))
    return None


def find_engine(_settings: Settings, _rest: Sequence[str]) -> None:
    """Make a Docker Engine answer if one can be had, for the tests that want one."""
    try:
        engine.ensure()
    except engine.NoEngineError as error:
        say(f"no Docker Engine: {error}; tests that need one will be skipped")


def check_ports(settings: Settings, *, offline: bool) -> None:
    """Refuse a port that somebody else listens on, or a second of ours, by name."""
    taken: dict[tuple[str, str], str] = {}
    for name, _, _ in report.published(settings, offline=offline):
        place = settings.address(name), settings.values[name]
        advice = f"set another {name} in {settings.env_file}"
        if other := taken.get(place):
            raise StackError(f"port {place[1]}: it is {other} already: {advice}")
        taken[place] = name
        ports.check(*place, advice)


def down(settings: Settings, rest: Sequence[str]) -> None:
    """Stop and remove the containers; the volumes stay unless asked otherwise."""
    local.down(settings, [])
    if not engine.reachable():
        return
    compose = Compose(settings, images.remembered(settings))
    # A removed container takes its log along: what is logged while stopping is shipped
    # before the shipper goes, and what it reads from and writes to.
    running = compose.read("ps", "--services").split()
    if writers := [name for name in running if name not in ROAD_OF_LOGS]:
        compose.show("stop", *writers)
    compose.show("down", *rest)


def logs(settings: Settings, rest: Sequence[str]) -> None:
    """Show the end of every container's log."""
    Compose(settings, images.remembered(settings)).show("logs", "--tail=100", *rest)


def status(settings: Settings, _rest: Sequence[str]) -> None:
    """Show what runs and where."""
    local.status(settings, [])
    if engine.reachable():
        source = images.remembered(settings)
        Compose(settings, source).show("ps", "--all")
        report.show(report.addresses(settings, offline=source.offline))


COMMANDS = {
    "up": up,
    "down": down,
    "logs": logs,
    "status": status,
    "local": local.up,
    "backup": backup,
    "engine": find_engine,
}
