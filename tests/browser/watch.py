"""Notice what a person sees only with the developer tools open."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Request,
    Response,
    WebError,
)


# What is known and is not the stack's to change: pattern, why.
EXPLAINED = {
    r"//secure\.gravatar\.com/": "portraits for whoever is logged in",
    r"//s\.w\.org/images/": "pictures of the block editor's welcome",
    # Only what the page itself gives up is called so; a server that hangs up is not.
    r"net::ERR_ABORTED": "the page was left while it was still asking",
    r"/classic/.*(Unexpected token 'export'|require Popper)": (
        "tooltips of Debian's classic Prometheus pages"
    ),
}


@dataclass
class Watch:
    """What went wrong on the pages of one browser, explained or not."""

    origins: Collection[str]
    noticed: list[str] = field(default_factory=list)

    @classmethod
    def over(cls, context: BrowserContext, origins: Collection[str]) -> Watch:
        """Watch every page of *context*, which may ask *origins* and nobody else."""
        watch = cls(origins)
        context.on("console", watch.console)
        context.on("weberror", watch.error)
        context.on("request", watch.request)
        context.on("requestfailed", watch.failed)
        context.on("response", watch.response)
        return watch

    def problems(self) -> list[str]:
        """Return what was noticed and nobody has explained."""
        return [text for text in self.noticed if not explained(text)]

    def console(self, message: ConsoleMessage) -> None:
        mixed = message.text.startswith("Mixed Content")
        if message.type == "error" or mixed:
            self.noticed.append(f"console: {message.location['url']}: {message.text}")

    def error(self, error: WebError) -> None:
        page = error.page.url if error.page else "a closed page"
        self.noticed.append(f"error: {page}: {error.error}")

    def request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        inside = f"{parts.scheme}://{parts.netloc}" in self.origins
        if parts.scheme in {"http", "https", "ws", "wss"} and not inside:
            self.noticed.append(f"outside: {request.url}")

    def failed(self, request: Request) -> None:
        self.noticed.append(f"failed: {request.url}: {request.failure}")

    def response(self, response: Response) -> None:
        if response.status >= 400:
            self.noticed.append(f"{response.status}: {response.url}")


def explained(text: str) -> bool:
    """Whether *text* is among what is known."""
    return any(re.search(pattern, text, re.DOTALL) for pattern in EXPLAINED)
