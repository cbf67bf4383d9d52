"""The stack in a browser: what a person sees, and what the pages complain of."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from deploy.stack.shell import StackError
from tests.browser import chromium, demo, grafana, phpmyadmin, prometheus, wordpress
from tests.browser.chromium import Chromium, Visit
from tests.browser.stacks import INSIDE, Known
from tests.e2e.stack import Stack, get_json, wait_until


pytestmark = [pytest.mark.e2e, pytest.mark.docker, pytest.mark.timeout(1500)]

TITLE = "End to end"
SHIPPER = INSIDE["promtail"]


@pytest.fixture(scope="module")
def known(stack: Stack) -> Known:
    found = Known.of(stack)
    try:
        chromium.build(offline=found.offline)
    except StackError as error:
        pytest.skip(f"no image of a browser to be had: {error}")
    return found


@pytest.fixture(scope="module")
def browser(known: Known) -> Iterator[Chromium]:
    with chromium.start(known.place) as started:
        yield started


@pytest.fixture(scope="module")
def owner(browser: Chromium, known: Known) -> Iterator[Visit]:
    """The owner, logged in to WordPress, which is installed first if need be."""
    with browser.visit() as opened:
        home = known.home("NGINX_PORT")
        wordpress.install(opened, home, TITLE)
        wordpress.log_in(opened, home)
        yield opened


@pytest.fixture
def visitor(browser: Chromium) -> Iterator[Visit]:
    """Somebody who was never here before."""
    with browser.visit() as opened:
        yield opened


@pytest.fixture(autouse=True)
def unwatched(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test leaves an unexplained complaint of its browser behind."""
    names = {"owner", "visitor"} & set(request.fixturenames)
    visits: list[Visit] = [request.getfixturevalue(name) for name in names]
    yield
    for opened in visits:
        assert opened.watch.problems() == []


def test_a_post_with_a_picture_is_written_and_seen(
    owner: Visit, visitor: Visit, known: Known
) -> None:
    home = known.home("NGINX_PORT")
    post = demo.post(owner)
    wordpress.write(owner, home, post)
    page = visitor.open(f"{home}/")
    expect(page).to_have_title(re.compile(TITLE))
    article = page.locator("li.wp-block-post, article").filter(has_text=post.title)
    article = article.first
    expect(article).to_contain_text(post.paragraphs[0])
    loaded = wordpress.widths(article.locator("img"))
    assert loaded
    assert all(loaded.values()), f"0: not loaded: {loaded}"
    page.wait_for_load_state("networkidle")
    assert visitor.watch.noticed == [], "a visitor's page complains of nothing at all"


def test_phpmyadmin_shows_the_tables_of_wordpress(
    owner: Visit, visitor: Visit, known: Known
) -> None:
    if "phpmyadmin" not in known.services:
        pytest.skip("phpMyAdmin does not run: its profile is `tools`")
    home = known.home("PHPMYADMIN_PORT")
    phpmyadmin.log_in(visitor, home, "wordpress", known.password("mysql_password"))
    found = phpmyadmin.tables(visitor, home, "wordpress")
    assert {"wp_options", "wp_posts", "wp_users"} <= set(found)


def test_prometheus_shows_every_target_up(visitor: Visit, known: Known) -> None:
    home = known.home("PROMETHEUS_PORT")
    answer = get_json(f"{home}/api/v1/targets?state=active")
    jobs = {target["labels"]["job"] for target in answer["data"]["activeTargets"]}

    def shown() -> dict[str, tuple[int, int]]:
        return prometheus.pools(prometheus.open_page(visitor, home, "/targets"))

    wait_until(
        lambda: all(up == all_ for up, all_ in shown().values()),
        "every target on the page is up",
    )
    assert {job for job, (up, _) in shown().items() if up} == jobs


def test_prometheus_shows_its_alerts(visitor: Visit, known: Known) -> None:
    home = known.home("PROMETHEUS_PORT")
    answer = get_json(f"{home}/api/v1/rules?type=alert")
    rules = [
        rule["name"] for group in answer["data"]["groups"] for rule in group["rules"]
    ]
    page = prometheus.open_page(visitor, home, "/alerts")
    assert rules
    for rule in rules:
        expect(page.get_by_text(rule, exact=True).first).to_be_attached()


def test_prometheus_draws_a_graph(visitor: Visit, known: Known) -> None:
    def idle() -> float:
        return known.stack.number('sum(rate(node_cpu_seconds_total{mode="idle"}[1m]))')

    wait_until(lambda: idle() > 0, "node_cpu_seconds_total has a rate")
    prometheus.graph(
        visitor,
        known.home("PROMETHEUS_PORT"),
        "sum by (mode) (rate(node_cpu_seconds_total[1m]))",
        minutes=5,
    )


def test_the_shipper_shows_every_container_it_reads(
    visitor: Visit, known: Known
) -> None:
    page = visitor.open(f"{SHIPPER}/targets")
    expect(page.get_by_text("Ready")).to_be_visible()
    for service in known.services:
        name = page.get_by_text(f"container_name={known.prefix}{service}", exact=True)
        row = page.locator("tr").filter(has=name)
        expect(row).to_contain_text(f"compose_service={service}")
        expect(row).to_contain_text("ok")


def test_the_filter_of_the_shipper_hides_the_others(
    visitor: Visit, known: Known
) -> None:
    page = visitor.open(f"{SHIPPER}/targets")
    name = f"{known.prefix}wordpress"
    page.get_by_placeholder("Filter").fill(f"container_name={name}")
    rows = page.locator("tbody tr").filter(visible=True)
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(name)


def test_every_page_in_the_menu_of_the_shipper_opens(visitor: Visit) -> None:
    page = visitor.open(f"{SHIPPER}/")
    assert page.url == f"{SHIPPER}/targets"
    for name, shown in (
        ("Service discovery", "Discovered labels"),
        ("Config", "scrape_configs:"),
        ("Metrics", "promtail_sent_entries_total"),
    ):
        visitor.open(f"{SHIPPER}/targets")
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.locator("body")).to_contain_text(shown)


@pytest.mark.parametrize(
    ("service", "title", "metric"),
    [
        ("node-exporter", "Node Exporter", "node_load1"),
        ("nginx-exporter", "NGINX Prometheus Exporter", "nginx_up"),
    ],
)
def test_the_first_page_of_an_exporter_leads_to_its_metrics(
    visitor: Visit, service: str, title: str, metric: str
) -> None:
    page = visitor.open(f"{INSIDE[service]}/")
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    page.get_by_role("link", name="Metrics").click()
    expect(page.locator("body")).to_contain_text(metric)


@pytest.mark.parametrize("path", ["/ready", "/config", "/metrics"])
def test_the_pages_of_the_store_open(visitor: Visit, path: str) -> None:
    page = visitor.open(INSIDE["loki"] + path)
    assert page.locator("body").inner_text().strip()


def test_the_page_of_alertmanager_opens(visitor: Visit, known: Known) -> None:
    if "alertmanager" not in known.services:
        pytest.skip("Alertmanager does not run: its profile is `alerts`")
    page = visitor.open(known.home("ALERTMANAGER_PORT") + "/")
    expect(page).to_have_title(re.compile("Alertmanager"))


def test_grafana_shows_every_dashboard(visitor: Visit, known: Known) -> None:
    if "grafana" not in known.services:
        pytest.skip("Grafana does not run: no registry gives its image")
    home = known.home("GRAFANA_PORT")
    grafana.log_in(visitor, home, known.password("grafana_password"))
    found = grafana.dashboards(visitor, home)
    assert found
    for path, title in found.items():
        page = grafana.show(visitor, home, path)
        assert grafana.broken(page) == [], title


def test_what_is_wrong_with_a_page_is_noticed(browser: Chromium, known: Known) -> None:
    """The tests above rest on it."""
    with browser.visit() as opened:
        home = known.home("NGINX_PORT")
        page = opened.open(f"{home}/healthz")
        with page.expect_event("requestfailed"):
            page.evaluate("new Image().src = 'http://elsewhere.example/pixel.png'")
        with page.expect_event("response"):
            page.evaluate("fetch('/wp-content/.hidden')")
        with page.expect_event("pageerror"):
            page.evaluate("setTimeout(() => { throw Error('broken script') })")
        with page.expect_console_message():
            page.evaluate("console.error('complaint')")
        lost = "/wp-content/.hidden.png"
        page.evaluate(
            "src => document.body.append(Object.assign(new Image(), {src}))", lost
        )
        assert wordpress.widths(page.locator("img")) == {lost: 0}
        noticed = "\n".join(opened.watch.problems())
        assert "outside: http://elsewhere.example/pixel.png" in noticed
        assert "failed: http://elsewhere.example/pixel.png: net::ERR_NAME" in noticed
        assert re.search(r"40[34]: .*/wp-content/\.hidden", noticed)
        assert "broken script" in noticed
        assert "complaint" in noticed
