"""The main job in real containers: metrics in Prometheus, all lines in the store."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from tests.e2e.stack import (
    PREFIX,
    Stack,
    docker,
    docker_logs,
    fetch,
    get_json,
    meanwhile,
    shown,
    wait_until,
    wordpress_asks_itself,
)


pytestmark = [pytest.mark.e2e, pytest.mark.docker, pytest.mark.timeout(1500)]

JOBS = ("prometheus", "node", "nginx", "promtail", "loki", "mysql", "alertmanager")
WATCHED = ("nginx", "wordpress", "mysql")
STATIC = "/wp-includes/css/dashicons.min.css"


def test_wordpress_serves_pages_and_nginx_its_static_files(site: Stack) -> None:
    status, kind, text = fetch(site.url("NGINX_PORT"))
    assert (status, kind) == (200, "text/html; charset=UTF-8")
    assert re.search(r"<title>End to end\b", text)
    status, kind, text = fetch(site.url("NGINX_PORT", STATIC))
    assert (status, kind) == (200, "text/css")
    assert "dashicons" in text


def test_events_of_wordpress_that_are_due_are_run(site: Stack) -> None:
    """Its address is one of the host, where its container is not."""
    assert site.ports
    assert wordpress_asks_itself() == "200"


def test_the_status_page_is_for_the_network_only(site: Stack) -> None:
    text = shown(site.url("NGINX_PORT", "/stub_status"))
    assert "Active connections" not in text


def test_phpmyadmin_shows_its_login(site: Stack) -> None:
    status, _, text = fetch(site.url("PHPMYADMIN_PORT"))
    assert status == 200
    assert "<title>phpMyAdmin" in text


def test_prometheus_reaches_every_target(site: Stack) -> None:
    def up() -> dict[str, str]:
        return {row["metric"]["job"]: row["value"][1] for row in site.prometheus("up")}

    expected = dict.fromkeys(JOBS, "1")
    wait_until(lambda: up() == expected, f"up is {up()}, expected {expected}")


def test_prometheus_watches_the_shipper_and_nothing_is_wrong(site: Stack) -> None:
    answer = get_json(site.url("PROMETHEUS_PORT", "/api/v1/rules?type=alert"))
    rules = [rule for group in answer["data"]["groups"] for rule in group["rules"]]
    assert {"ShipperDown", "ShipperLinesLost"} <= {rule["name"] for rule in rules}
    alerts = [
        alert
        for rule in rules
        for alert in rule["alerts"]
        if alert["state"] == "firing"
    ]
    # Other tests of this stack guess passwords, and take the webhook away.
    assert [a for a in alerts if a["labels"]["alertname"].startswith("Shipper")] == []


def test_host_metrics_move_in_prometheus(site: Stack) -> None:
    def idle() -> float:
        rows = site.prometheus('sum(node_cpu_seconds_total{mode="idle"})')
        return float(rows[0]["value"][1]) if rows else 0.0

    wait_until(lambda: idle() > 0, "node_cpu_seconds_total is there")
    before = idle()
    wait_until(lambda: idle() > before, f"node_cpu_seconds_total above {before}")
    # No data is no failure: a container host has no RAID, no InfiniBand, ...
    failed = site.prometheus('node_scrape_collector_failure{reason!="no_data"} == 1')
    assert {row["metric"]["collector"] for row in failed} == set()


def test_nginx_metrics_move_with_the_requests(site: Stack) -> None:
    def requests() -> float:
        rows = site.prometheus("nginx_http_requests_total")
        return float(rows[0]["value"][1]) if rows else 0.0

    wait_until(lambda: requests() > 0, "nginx_http_requests_total is there")
    assert [row["value"][1] for row in site.prometheus("nginx_up")] == ["1"]
    before = requests()
    for _ in range(50):
        fetch(site.url("NGINX_PORT", STATIC))
    wait_until(lambda: requests() >= before + 50, f"50 requests more than {before}")


def test_php_fpm_is_watched(site: Stack) -> None:
    def accepted() -> float:
        return site.number("sum(phpfpm_accepted_connections)")

    wait_until(lambda: accepted() > 0, "phpfpm_accepted_connections is there")
    assert [row["value"][1] for row in site.prometheus("phpfpm_up")] == ["1"]
    before = accepted()
    for number in range(5):
        fetch(site.url("NGINX_PORT", f"/?fpm={number}"))
    wait_until(lambda: accepted() >= before + 5, f"5 PHP requests more than {before}")


def test_the_page_of_php_fpm_is_not_for_visitors(site: Stack) -> None:
    for path in ("/fpm-status", "/fpm-ping", "/fpm-status?json&full"):
        text = shown(site.url("NGINX_PORT", path))
        assert re.search(r"<title>[^<]*\bEnd to end\b", text), "WordPress answers"
        assert "accepted conn" not in text


RESPONSES = 'sum(nginx_http_response_count_total{method="GET",status="200"})'


def test_status_codes_and_times_come_from_the_access_log(site: Stack) -> None:
    before = site.number(RESPONSES)
    for _ in range(50):
        fetch(site.url("NGINX_PORT", STATIC))
    wait_until(lambda: site.number(RESPONSES) >= before + 50, "50 more, counted")
    for family in ("response_time", "upstream_time", "upstream_connect_time"):
        name = f"nginx_http_{family}_seconds_hist_count"
        assert site.number(f"sum({name})") > 0, name


def test_nginx_starts_and_serves_without_the_exporter(site: Stack) -> None:
    before = time.time()
    docker("stop", PREFIX + "nginx-exporter")
    try:
        docker("restart", PREFIX + "nginx")

        def served() -> bool:
            try:
                return fetch(site.url("NGINX_PORT", STATIC))[0] == 200
            except OSError:
                return False

        wait_until(served, "nginx serves without the exporter")
    finally:
        docker("start", PREFIX + "nginx-exporter")

    started = 'process_start_time_seconds{job="nginx"}'
    fresh = f"{RESPONSES} and on() {started} > {before}"

    def counted() -> bool:
        fetch(site.url("NGINX_PORT", STATIC))
        return site.number(fresh) > 0

    wait_until(counted, "the exporter that was started later counts")


def test_every_line_is_stored_exactly_once(site: Stack) -> None:
    for name in WATCHED:
        compare(site, PREFIX + name)


def test_still_exactly_once_when_the_shipper_is_restarted(site: Stack) -> None:
    with visitors(site):
        for command in (["restart"], ["kill", "--signal=KILL"]):
            sent = len(docker_logs(PREFIX + "nginx"))
            wait_until(
                lambda: len(docker_logs(PREFIX + "nginx")) > sent + 2000,  # noqa: B023 asked at once
                "visitors before the shipper goes",
            )
            docker(*command, PREFIX + "promtail")
        docker("start", PREFIX + "promtail")
    for name in WATCHED:
        compare(site, PREFIX + name)


@pytest.mark.parametrize(
    ("container", "program", "flag"),
    [
        ("node-exporter", "/bin/node_exporter", "--version"),
        ("nginx-exporter", "/usr/bin/nginx-prometheus-exporter", "--version"),
        ("promtail", "/usr/bin/promtail", "-version"),
    ],
)
def test_the_original_program_names_work(
    site: Stack, container: str, program: str, flag: str
) -> None:
    """Where the image line alone changes, `command:` and `entrypoint:` name them."""
    assert site.ports
    assert "version" in docker("exec", PREFIX + container, program, flag)


def test_a_second_up_takes_seconds_and_loses_nothing(site: Stack) -> None:
    lines = docker_logs(PREFIX + "nginx")
    began = time.monotonic()
    again = site.command("up")
    took = time.monotonic() - began
    assert again.returncode == 0, again.stdout
    print(f"a second up took {took:.1f} s")
    assert docker_logs(PREFIX + "nginx")[: len(lines)] == lines
    assert "<title>End to end" in fetch(site.url("NGINX_PORT"))[2]


def test_down_ships_the_last_words_and_keeps_the_data(site: Stack) -> None:
    before = len(site.stored(PREFIX + "nginx"))
    assert site.command("down").returncode == 0
    again = site.command("up")
    assert again.returncode == 0, again.stdout
    assert "<title>End to end" in fetch(site.url("NGINX_PORT"))[2]
    lines = [line for _, _, line in site.stored(PREFIX + "nginx")]
    assert len(lines) > before
    assert any(line.endswith("[notice] 1#1: exit") for line in lines)


@contextmanager
def visitors(site: Stack) -> Iterator[None]:
    """Load a page all the time, and a static file, which fills the log faster."""

    def visit(path: str) -> None:
        # ?p= of no page is what a 404 is for.
        shown(site.url("NGINX_PORT", path.format(time.time_ns())))

    paths = ("/?p={}", STATIC + "?{}", STATIC + "?{}")
    with meanwhile(*(partial(visit, path) for path in paths)):
        yield


def compare(site: Stack, container: str) -> None:
    """Assert that the store holds what `docker logs` shows, each line once."""

    def missing() -> Counter[tuple[str, int, str]]:
        return Counter(docker_logs(container)) - Counter(site.stored(container))

    wait_until(lambda: not missing(), f"all lines of {container} are stored")
    sent, found = docker_logs(container), site.stored(container)
    print(f"{container}: {len(sent)} lines sent, {len(found)} found")
    assert sent, f"{container} wrote nothing: this test would prove nothing"
    # What came in between the two questions is in the store only later or earlier.
    newest = min(max(ts for _, ts, _ in sent), max(ts for _, ts, _ in found))
    sent_until = Counter(row for row in sent if row[1] <= newest)
    found_until = Counter(row for row in found if row[1] <= newest)
    assert found_until == sent_until
