"""The frame of every page: navigation, style, script, and the headers to go with it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from exporters.toolkit import version

from .markup import Html, join, tag


_FOLDER: Final = files(__package__)
STYLE: Final = (_FOLDER / "page.css").read_text("utf-8")
SCRIPT: Final = (_FOLDER / "page.js").read_text("utf-8")
_PAGES: Final = {
    "targets": "Targets",
    "service-discovery": "Service discovery",
    "config": "Config",
    "metrics": "Metrics",
}


def _source(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {_source(STYLE)}; script-src "
        f"{_source(SCRIPT)}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""Nothing but the page's own style and script runs, whatever a label says."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What is around a page: *reason* says why the shipper is not ready, if so."""

    reason: str | None = None
    metrics: bool = True


def document(name: str, body: Html, frame: Frame) -> str:
    """Return the page *name* (its path) as HTML."""
    title = _PAGES[name]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="robots", content="noindex,nofollow"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title} - shipper"),
        tag("style", Html(STYLE)),
    )
    content = tag("main", tag("h1", title), body)
    script = tag("script", Html(SCRIPT))
    page = tag("body", _header(name, frame), content, script)
    return f"<!DOCTYPE html>\n{tag('html', head, page, lang='en')}\n"


def _header(current: str, frame: Frame) -> Html:
    links = [
        # Relative: they hold behind any prefix a proxy puts in front.
        tag("a", title, href=path, aria_current="page" if path == current else False)
        for path, title in _PAGES.items()
        if path != "metrics" or frame.metrics
    ]
    state = tag("a", "Ready", href="ready", class_="state ok")
    if frame.reason is not None:
        state = tag("a", "Not ready", href="ready", class_="state error")
    brand = tag("strong", "shipper", title=version.info())
    bar = tag("header", brand, tag("nav", *links), state)
    if frame.reason is None:
        return bar
    return join(bar, tag("p", frame.reason, class_="banner", role="alert"))
