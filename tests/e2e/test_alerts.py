"""The rules in a real Prometheus, and an Alertmanager that tells a webhook of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.stack.settings import load
from tests.deploy.test_rules import ALL, named
from tests.e2e.stack import PREFIX, Stack, docker, get_json, wait_until


pytestmark = [pytest.mark.e2e, pytest.mark.docker, pytest.mark.timeout(1500)]

RECEIVER = f"{PREFIX}webhook"
# Prints each notification as one line, and says that it was taken.
PROGRAM = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        print(self.path, body.decode().strip(), flush=True)
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""
# Metrics that a rule names and that this stack may have none of, and why.
ABSENT = {
    "no such hardware, or no such state of it": (
        r"node_(bonding|edac|hwmon|md|nf_conntrack|scrape_collector_failure)_?\w*"
    ),
    "collectors that are off": r"node_systemd_unit_state",
    "no line of the kind was logged": r"promtail_custom_\w+",
    "no backup was made": r"stack_backup_\w+",
    "no replica": r"mysql_slave_status_\w+",
    "Loki's, or the store's": r"(loki|log_store)_\w+",
    "UDP only; nothing was refused, lost or limited": (
        r"nginx_exporter_access_log_(lost_lines|parse_errors)_total"
        r"|(shipper|promtail)_(refused|dropped|limited)_entries_total"
    ),
}


def rules(stack: Stack) -> list[dict[str, Any]]:
    answer = get_json(stack.url("PROMETHEUS_PORT", "/api/v1/rules"))
    return [rule for group in answer["data"]["groups"] for rule in group["rules"]]


def wait_for_rules(stack: Stack) -> list[dict[str, Any]]:
    """Return the rules once each of them was evaluated."""
    wait_until(
        lambda: all(rule["health"] != "unknown" for rule in rules(stack)),
        "every rule was evaluated",
    )
    return rules(stack)


def test_prometheus_evaluates_every_rule(stack: Stack) -> None:
    found = wait_for_rules(stack)
    assert len(found) == len(ALL)
    assert [rule["lastError"] for rule in found if rule["health"] != "ok"] == []


def test_nothing_rings_on_a_stack_in_good_order_but_watchdog(stack: Stack) -> None:
    found = wait_for_rules(stack)
    firing = {rule["name"] for rule in found if rule.get("state") == "firing"}
    assert firing == {"Watchdog"}


@pytest.mark.usefixtures("site")
def test_the_metrics_of_the_rules_are_there(stack: Stack) -> None:
    wanted = {name for _, rule in ALL for name in named(rule)}
    wanted -= {
        name for name in wanted for one in ABSENT.values() if re.match(one, name)
    }

    def missing() -> set[str]:
        path = "/api/v1/label/__name__/values"
        return wanted - set(get_json(stack.url("PROMETHEUS_PORT", path))["data"])

    wait_until(lambda: not missing(), f"metrics of rules are there: {missing()}")


@pytest.fixture(scope="module")
def told(stack: Stack) -> Iterator[Callable[[str], list[dict[str, Any]]]]:
    """Give Alertmanager somebody to tell; return what was told under a path."""
    image = "monitoring-exporters/shipper:local"
    docker(
        "run", "--detach", "--rm", f"--name={RECEIVER}",
        f"--network={PREFIX}monitoring", "--entrypoint=python", image, "-c", PROGRAM,
    )  # fmt: skip
    secrets = load(stack.folder / ".env", stack.folder / "state").secrets
    files = {
        path: secrets / f"alertmanager_{path}_url" for path in ("webhook", "watchdog")
    }
    before = {path: file.read_text() for path, file in files.items()}

    def notifications(path: str) -> list[dict[str, Any]]:
        rows = [row.split(" ", 1) for row in docker("logs", RECEIVER).splitlines()]
        return [json.loads(body) for where, body in rows if where == f"/{path}"]

    try:
        # In place: what is mounted is the file, and not its name.
        for path, file in files.items():
            file.write_text(f"http://{RECEIVER}:8080/{path}\n")
        yield notifications
    finally:
        for path, file in files.items():
            file.write_text(before[path])
        docker("rm", "--force", RECEIVER)


def test_a_dead_mans_switch_hears_watchdog(
    stack: Stack, told: Callable[[str], list[dict[str, Any]]]
) -> None:
    wait_until(lambda: bool(told("watchdog")), "a sign of life came", seconds=180)
    first = told("watchdog")[0]
    assert first["status"] == "firing"
    (alert,) = first["alerts"]
    assert alert["labels"]["alertname"] == "Watchdog"
    assert alert["annotations"]["runbook_url"] == "docs/runbook.md#watchdog"
    elsewhere = {a["labels"]["alertname"] for n in told("webhook") for a in n["alerts"]}
    assert "Watchdog" not in elsewhere, "it is for the switch alone"


def test_alertmanager_knows_what_rings_and_is_a_target(stack: Stack) -> None:
    found = get_list(stack.url("ALERTMANAGER_PORT", "/api/v2/alerts"))
    assert "Watchdog" in {alert["labels"]["alertname"] for alert in found}
    up = 'up{job="alertmanager",instance="alertmanager:9093"} == 1'
    wait_until(lambda: bool(stack.prometheus(up)), "Alertmanager is scraped")


def test_an_exporter_that_is_stopped_is_noticed_and_forgotten(stack: Stack) -> None:
    state = 'ALERTS{alertname="NginxExporterDown",instance="nginx-exporter:9113"}'
    docker("stop", f"{PREFIX}nginx-exporter")
    try:
        wait_until(
            lambda: bool(stack.prometheus(state)), "NginxExporterDown is pending"
        )
    finally:
        docker("start", f"{PREFIX}nginx-exporter")
    wait_until(lambda: not stack.prometheus(state), "NginxExporterDown is over")


@pytest.mark.usefixtures("site")
def test_a_failed_login_is_counted_from_the_log(stack: Stack) -> None:
    """Through nginx' log, the socket proxy, the shipper's pipeline and a scrape."""
    counter = "sum(promtail_custom_login_failures_total)"
    before = stack.number(counter)
    docker(
        "exec", f"{PREFIX}nginx", "wget", "-q", "-O", "/dev/null",
        "--post-data=log=admin&pwd=wrong", "http://127.0.0.1:8080/wp-login.php",
    )  # fmt: skip
    wait_until(lambda: stack.number(counter) > before, "the failed login is counted")


def get_list(url: str) -> list[dict[str, Any]]:
    """Return what *url* answers, a list."""
    found: Any = get_json(url)
    assert isinstance(found, list)
    return found
