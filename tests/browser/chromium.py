"""A headless Chromium in a container, driven by Playwright from this process."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect, sync_playwright

from deploy.stack import images
from deploy.stack.settings import DEPLOY
from deploy.stack.shell import quiet
from tests.browser.watch import Watch


IMAGE = f"local/chromium:{images.SUITE}"
UPSTREAM_BASE = "debian:trixie-slim"
LAUNCH = Path(__file__).with_name("launch")
SIZE = (1280, 800)
WAIT_SECONDS = 90  # a busy machine is no fault of the page
expect.set_options(timeout=WAIT_SECONDS * 1000)


def build(*, offline: bool) -> str:
    """Make the browser's image unless it is there; raise StackError if that fails."""
    base = images.BASE if offline else UPSTREAM_BASE
    if not images.present(base):
        quiet(["docker", "pull", "-q", base])
    folder = DEPLOY / "debian" / "chromium"
    images.build(IMAGE, folder, folder, build_args={"BASE": base})
    return IMAGE


@dataclass(frozen=True)
class Place:
    """A network of the stack, and the addresses that a browser there may ask.

    What is published on the host is asked for under the address that a visitor uses,
    which is WordPress' home and in every link, and found at its service. The network of
    the host itself would need no such map, but there every container that comes or goes
    is a change of the network, for which Chromium breaks off what it is loading.
    """

    network: str
    published: Mapping[str, str]
    inside: Collection[str]

    @property
    def origins(self) -> frozenset[str]:
        """Return scheme, host and port of all that may be asked."""
        return frozenset(self.inside) | {f"http://{name}" for name in self.published}

    @property
    def rules(self) -> str:
        """Return Chromium's rules, by which no other name exists, online or not."""
        known = [f"MAP {name} {service}" for name, service in self.published.items()]
        names = {urlsplit(origin).hostname for origin in self.inside}
        excluded = [f"EXCLUDE {name}" for name in sorted(filter(None, names))]
        return ", ".join([*known, "MAP * ~NOTFOUND", *excluded])


@dataclass(frozen=True)
class Visit:
    """One visitor: a page, and what was noticed on it."""

    page: Page
    watch: Watch

    def open(self, url: str) -> Page:
        """Go to *url*; raise where nothing or an error is answered."""
        answer = self.page.goto(url)
        assert answer is not None, url
        assert answer.ok, f"{url}: {answer.status} {answer.status_text}"
        return self.page


@dataclass(frozen=True)
class Chromium:
    """A browser that runs at a place."""

    browser: Browser
    place: Place

    @contextmanager
    def visit(self) -> Iterator[Visit]:
        """Open a page for somebody who was never here before."""
        context = self.browser.new_context(
            viewport={"width": SIZE[0], "height": SIZE[1]},
            locale="en-US",
            timezone_id="UTC",
            color_scheme="light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(WAIT_SECONDS * 1000)
        with context:
            yield Visit(context.new_page(), Watch.over(context, self.place.origins))


@contextmanager
def start(place: Place) -> Iterator[Chromium]:
    """Start a browser at *place* and end it with the block."""
    environment: dict[str, str | float | bool] = {
        **os.environ,
        "BROWSER_IMAGE": IMAGE,
        "BROWSER_NETWORK": place.network,
    }
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(
            executable_path=LAUNCH,
            args=[f"--host-resolver-rules={place.rules}"],
            env=environment,
        ) as browser,
    ):
        yield Chromium(browser, place)
