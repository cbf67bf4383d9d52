"""Which alerts Alertmanager keeps quiet while another rings: few for one outage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
import yaml

from deploy.stack.settings import DEPLOY
from tests.deploy.test_rules import ALERTS, NAMES


CONFIG: Any = yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text())
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"(.*)"')
NGINX = {"cluster": "local", "job": "nginx", "instance": "nginx-exporter:9113"}
SHIPPER = {"cluster": "local", "job": "promtail", "instance": "promtail:9080"}

Labels = Mapping[str, str]


def alert(name: str, /, **labels: str) -> dict[str, str]:
    """Return the labels that Alertmanager gets of an alert; its severity is known."""
    severity = next(severity for known, severity in ALERTS if known == name)
    return {"alertname": name, "severity": severity} | labels


def matches(matchers: Iterable[str], labels: Labels) -> bool:
    """Say whether all *matchers* hold, as Alertmanager reads them."""
    return all(holds(matcher, labels) for matcher in matchers)


def holds(matcher: str, labels: Labels) -> bool:
    found = MATCHER.fullmatch(matcher)
    assert found, matcher
    name, operator, value = found.groups()
    given = labels.get(name, "")
    equal = bool(re.fullmatch(value, given)) if "~" in operator else given == value
    return equal != operator.startswith("!")


def quiet(target: Labels, source: Labels) -> bool:
    """Say whether *target* is not sent while *source* rings."""
    return any(
        matches(rule["source_matchers"], source)
        and matches(rule["target_matchers"], target)
        and all(target.get(name, "") == source.get(name, "") for name in rule["equal"])
        for rule in CONFIG["inhibit_rules"]
    )


WEB2 = {"cluster": "local", "host": "web2"}
DISK = {"cluster": "local", "job": "node", "instance": "a", "mountpoint": "/"}


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (alert("HostDown", **WEB2), alert("NodeExporterDown", **WEB2, instance="a")),
        (alert("NginxDown", **NGINX), alert("NginxSlow", **NGINX)),
        # A virtual host is a label of the one and not of the other.
        (alert("NginxDown", **NGINX), alert("NginxServerErrors", **NGINX, host="shop")),
        (alert("PhpFpmDown", **NGINX, pool="www"), alert("NginxServerErrors", **NGINX)),
        # So is the Loki that takes nothing, and who waits for it.
        (
            alert("ShipperNotAcknowledged", **SHIPPER, host="loki:3100"),
            alert("ShipperLagging", **SHIPPER, name="nginx", kind="docker"),
        ),
        (
            {**alert("HostFilesystemFull", **DISK), "severity": "critical"},
            {**alert("HostFilesystemFull", **DISK), "severity": "warning"},
        ),
        (
            alert("ServiceRestarting", **SHIPPER),
            alert("TargetFlapping", **SHIPPER),
        ),
    ],
    ids=lambda labels: labels["alertname"],
)
def test_what_follows_is_not_told(source: Labels, target: Labels) -> None:
    assert quiet(target, source)
    assert not quiet(source, target)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        # Another machine, another exporter, another disk, another virtual host.
        (
            alert("HostDown", **WEB2),
            alert("NodeExporterDown", cluster="local", host="web3"),
        ),
        (alert("HostDown", cluster="local"), alert("MysqlDown", cluster="local")),
        (
            alert("NginxDown", **NGINX),
            alert("NginxSlow", **{**NGINX, "instance": "other:9113"}),
        ),
        (
            {**alert("HostFilesystemFull", **DISK), "severity": "critical"},
            {
                **alert("HostFilesystemFull", **{**DISK, "mountpoint": "/srv"}),
                "severity": "warning",
            },
        ),
        (
            {
                **alert("NginxServerErrors", **NGINX, exported_host="shop"),
                "severity": "critical",
            },
            {
                **alert("NginxServerErrors", **NGINX, exported_host="blog"),
                "severity": "warning",
            },
        ),
        # What nobody may keep quiet.
        (alert("HostDown", **WEB2), alert("Watchdog", cluster="local")),
        (alert("HostDown", **WEB2), alert("HostDown", cluster="local", host="web2")),
        (alert("PhpFpmDown", **NGINX), alert("NginxDown", **NGINX)),
    ],
    ids=lambda labels: labels["alertname"],
)
def test_what_does_not_follow_is_told(source: Labels, target: Labels) -> None:
    assert not quiet(target, source)


def test_the_names_in_the_configuration_are_alerts() -> None:
    routes = [
        matcher for one in CONFIG["route"]["routes"] for matcher in one["matchers"]
    ]
    rules = [
        matcher
        for one in CONFIG["inhibit_rules"]
        for matcher in (*one["source_matchers"], *one["target_matchers"])
    ]
    for matcher in (*routes, *rules):
        found = MATCHER.fullmatch(matcher)
        assert found, matcher
        if found[1] == "alertname":
            assert set(found[3].split("|")) <= set(NAMES), matcher


def test_a_sign_of_life_comes_every_minute() -> None:
    """It is sent at the first look that is later than the repeat interval."""
    (watchdog,) = (
        one for one in CONFIG["route"]["routes"] if one["receiver"] == "watchdog"
    )
    look, repeat = (
        int(watchdog[f"{name}_interval"].removesuffix("s"))
        for name in ("group", "repeat")
    )
    assert 60 % look == 0
    assert 60 - look < repeat < 60
    assert repeat % look, "a look that comes a moment early would send nothing"
