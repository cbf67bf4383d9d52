"""The pictures of the documentation, each taken from the running stack."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from deploy.stack.volumes import helper
from tests.browser import grafana, phpmyadmin, prometheus, wordpress
from tests.browser.chromium import IMAGE, SIZE, Visit
from tests.browser.demo import EXPRESSION, TITLE
from tests.browser.stacks import INSIDE, Known


COLOURS = 128
TALLEST = 1500


@dataclass(frozen=True)
class Camera:
    """Takes pictures of one visit into a folder."""

    visit: Visit
    known: Known
    folder: Path

    def take(self, page: Page, name: str, height: int = SIZE[1]) -> None:
        """Write what *page* shows as a small PNG."""
        page.set_viewport_size({"width": SIZE[0], "height": height})
        page.mouse.move(SIZE[0] - 1, height - 1)  # nothing is pointed at
        page.wait_for_load_state("networkidle")
        picture = page.screenshot(animations="disabled", caret="hide")
        path = self.folder / f"{name}.png"
        path.write_bytes(squeeze(picture))
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB", flush=True)


def squeeze(picture: bytes) -> bytes:
    """Return the PNG *picture* with a palette instead of three bytes a pixel."""
    return subprocess.run(
        [
            *helper("pictures"), "--interactive", "--read-only", "--cap-drop=ALL",
            "--security-opt=no-new-privileges",
            "--entrypoint=pngquant", IMAGE, "--strip", "--speed=1", str(COLOURS), "-",
        ],
        input=picture,
        capture_output=True,
        check=True,
    ).stdout  # fmt: skip


def site(camera: Camera) -> None:
    """Take the front page as a visitor sees it."""
    page = camera.visit.open(camera.known.home("NGINX_PORT") + "/")
    wordpress.widths(page.locator("img"))
    page.evaluate("scroll(0, 0)")
    camera.take(page, "site", height=780)


def targets(camera: Camera) -> None:
    """Take the targets of Prometheus."""
    home = camera.known.home("PROMETHEUS_PORT")
    page = prometheus.open_page(camera.visit, home, "/targets")
    prometheus.pools(page)
    whole = int(page.evaluate("document.documentElement.scrollHeight"))
    camera.take(page, "prometheus-targets", height=min(whole, TALLEST))


def alerts(camera: Camera) -> None:
    """Take the alerts of Prometheus."""
    home = camera.known.home("PROMETHEUS_PORT")
    page = prometheus.open_page(camera.visit, home, "/alerts")
    camera.take(page, "prometheus-alerts")


def graph(camera: Camera) -> None:
    """Take the demo's visitors as Prometheus draws them."""
    home = camera.known.home("PROMETHEUS_PORT")
    page = prometheus.graph(camera.visit, home, EXPRESSION, minutes=5)
    camera.take(page, "prometheus-graph", height=900)


def database(camera: Camera) -> None:
    """Take the tables in phpMyAdmin."""
    home = camera.known.home("PHPMYADMIN_PORT")
    password = camera.known.password("mysql_password")
    phpmyadmin.log_in(camera.visit, home, "wordpress", password)
    phpmyadmin.tables(camera.visit, home, "wordpress")
    camera.take(camera.visit.page, "phpmyadmin", height=720)


def dashboards(camera: Camera) -> None:
    """Take every dashboard of Grafana."""
    home = camera.known.home("GRAFANA_PORT")
    grafana.log_in(camera.visit, home, camera.known.password("grafana_password"))
    for path, title in grafana.dashboards(camera.visit, home).items():
        page = grafana.show(camera.visit, home, path)
        name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
        camera.take(page, f"grafana-{name}", height=960)


def shipper(camera: Camera) -> None:
    """Take what the shipper reads; of a busy host only this stack."""
    page = camera.visit.open(f"{INSIDE['promtail']}/targets")
    own = f"compose_project={camera.known.project}"
    others = page.locator("tbody tr").filter(has_not_text=own)
    if others.count():
        page.get_by_placeholder("Filter").fill(own)
        page.get_by_placeholder("Filter").blur()
    camera.take(page, "shipper-targets")


Shot = Callable[[Camera], None]
SHOTS: dict[str, Shot] = {
    "site": site,
    "phpmyadmin": database,
    "prometheus-targets": targets,
    "prometheus-alerts": alerts,
    "prometheus-graph": graph,
    "shipper-targets": shipper,
}


def prepare(owner: Visit, known: Known, post: wordpress.Post) -> None:
    """Install the site of the pictures and write its post."""
    home = known.home("NGINX_PORT")
    wordpress.install(owner, home, TITLE)
    wordpress.log_in(owner, home)
    wordpress.write(owner, home, post)
