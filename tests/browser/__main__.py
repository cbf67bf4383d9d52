"""`python -m tests.browser`: a stack of its own, and the pictures of it."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Error as BrowserError

from deploy.stack import engine
from deploy.stack.shell import StackError, say
from tests.browser import chromium, demo, pictures
from tests.browser.stacks import Known
from tests.e2e.stack import PORTS, ROOT, Stack, free_ports


# Names that no stack of a person has: its volumes are removed in the end.
SETTINGS = """\
COMPOSE_PROJECT_NAME=demo
COMPOSE_PROFILES=tools,alerts
NAME_PREFIX=demo-
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Take every picture; an error is said in words, exit code 1."""
    parser = argparse.ArgumentParser(prog="tests.browser", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument(
        "--minutes", type=float, default=6, help="how long visitors come before graphs"
    )
    arguments = parser.parse_args(argv)
    try:
        engine.ensure()
        run(arguments.folder, arguments.minutes)
    except (StackError, BrowserError) as error:
        print(f"screenshots: {error}", file=sys.stderr)
        return 1
    return 0


def run(folder: Path, minutes: float) -> None:
    """Start the stack, take the pictures, remove the stack."""
    with tempfile.TemporaryDirectory() as place:
        stack = prepare(Path(place))
        try:
            started = stack.command("up")
            if started.returncode:
                raise StackError(f"the stack does not start: {started.stdout}")
            shoot(Known.of(stack), folder, minutes)
        finally:
            stack.command("down", "--", "--volumes")


def prepare(place: Path) -> Stack:
    """Write the settings of a stack for pictures."""
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    lines = "".join(f"{name}={port}\n" for name, port in ports.items())
    (place / ".env").write_text(SETTINGS + lines)
    return Stack(place, ports)


def shoot(known: Known, folder: Path, minutes: float) -> None:
    """Write the demo's post, let visitors come, take every picture into *folder*."""
    chromium.build(offline=known.offline)
    folder.mkdir(parents=True, exist_ok=True)
    with chromium.start(known.place) as browser:
        with browser.visit() as owner:
            pictures.prepare(owner, known, demo.post(owner))
        with demo.visitors(known.home("NGINX_PORT")), browser.visit() as visit:
            say(f"visitors come for {minutes:g} minutes, so that graphs show something")
            time.sleep(minutes * 60)
            camera = pictures.Camera(visit, known, folder)
            for shot in pictures.SHOTS.values():
                shot(camera)
            if "grafana" in known.services:
                pictures.dashboards(camera)
            else:
                say("no picture of Grafana: no registry gives its image here")


if __name__ == "__main__":
    raise SystemExit(main())
