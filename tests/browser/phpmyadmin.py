"""phpMyAdmin as somebody uses it who has the password."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.chromium import Visit


def log_in(visit: Visit, home: str, user: str, password: str) -> None:
    """Log in and stand on the first page."""
    page = visit.open(f"{home}/")
    page.locator("#input_username").fill(user)
    page.locator("#input_password").fill(password)
    page.locator("#input_go").click()
    expect(page.locator("#pma_navigation_tree")).to_be_visible()


def tables(visit: Visit, home: str, database: str) -> list[str]:
    """Return the names of the tables that the page of *database* lists."""
    page = visit.open(f"{home}/index.php?route=/database/structure&db={database}")
    expect(page.locator("#tablesForm tbody tr").first).to_be_visible()
    names = page.locator("#tablesForm tbody tr th a").all_inner_texts()
    return [name.strip() for name in names]
