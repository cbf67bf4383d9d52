"""Prometheus' own pages: those of version 3, and the classic ones that Debian has."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from tests.browser.chromium import Visit


CLASSIC = "/classic"
POOL = re.compile(r"^(\S+)\s*\(?\s*(\d+)\s*/\s*(\d+) up", re.MULTILINE)
DRAWN = ".rickshaw_graph svg path, .uplot canvas"
NOTHING = re.compile(r"no datapoints found|empty query result", re.IGNORECASE)


def open_page(visit: Visit, home: str, path: str) -> Page:
    """Open the page at *path*; Debian leaves the new ones out and says so there."""
    page = visit.open(home + path)
    if page.get_by_role("link", name="Use classic web UI").is_visible():
        page = visit.open(home + CLASSIC + path)
    return page


def pools(page: Page) -> dict[str, tuple[int, int]]:
    """Return, from the page /targets, how many of how many are up in each job."""
    expect(page.get_by_text(re.compile(r"\d+\s*/\s*\d+ up")).first).to_be_visible()
    found = POOL.findall(page.locator("body").inner_text())
    return {job: (int(up), int(all_)) for job, up, all_ in found}


def graph(visit: Visit, home: str, expression: str, minutes: int) -> Page:
    """Draw *expression* over the last *minutes*."""
    query = {
        "g0.expr": expression,
        "g0.tab": "0" if classic(visit, home) else "graph",
        "g0.range_input": f"{minutes}m",
        "g0.stacked": "1",
    }
    page = open_page(visit, home, f"/graph?{urlencode(query)}")
    expect(page.locator(DRAWN).first).to_be_visible()
    expect(page.get_by_text(NOTHING)).to_have_count(0)
    return page


def classic(visit: Visit, home: str) -> bool:
    """Whether this Prometheus has the pages of Debian's package."""
    return CLASSIC in open_page(visit, home, "/targets").url
