"""Grafana, where a registry gives it: its dashboards as they are provisioned."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.chromium import Visit


BROKEN = "[data-testid='data-testid Panel status error']"
PANEL = "section[data-testid^='data-testid Panel header']"


def log_in(visit: Visit, home: str, password: str) -> None:
    """Log in as the administrator."""
    page = visit.open(f"{home}/login")
    page.locator("input[name=user]").fill("admin")
    page.locator("input[name=password]").fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("input[name=password]")).to_have_count(0)


def dashboards(visit: Visit, home: str) -> dict[str, str]:
    """Return the path and the title of every dashboard."""
    answer = visit.page.request.get(f"{home}/api/search?type=dash-db")
    assert answer.ok, f"{answer.url}: {answer.status} {answer.status_text}"
    return {str(row["url"]): str(row["title"]) for row in answer.json()}


def show(visit: Visit, home: str, path: str) -> Page:
    """Open a dashboard without menus and wait until its panels have asked."""
    page = visit.open(f"{home}{path}?kiosk&theme=light&from=now-5m&to=now")
    expect(page.locator(PANEL).first).to_be_visible()
    page.wait_for_load_state("networkidle")
    return page


def broken(page: Page) -> list[str]:
    """Return what the panels say that could not show what they should."""
    marks = page.locator(BROKEN).all()
    return [mark.get_attribute("aria-label") or mark.inner_text() for mark in marks]
