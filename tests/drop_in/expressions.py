"""What the owners' dashboards and rules ask for, ready to be sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.stack import get_json


FOLDER = Path(__file__).parent
# What decides in a rule: a comparison with a number. Before it is what is looked at.
DECISION = re.compile(r"\s*(==|!=|[<>]=?)\s*[-+]?[.\d]+(e[-+]?\d+)?(?![\w.])")


def asked(stack: str, kind: str) -> Iterator[tuple[str, str]]:
    """Yield (dashboard, expression) of *kind*, as dashboards.yaml calls it."""
    read = _dashboards(stack)
    for dashboard, expressions in read.get(kind, {}).items():
        for expression in expressions:
            yield dashboard, _filled(expression, read["variables"])
    if kind == "prometheus":
        for name in (FOLDER / "1860.txt").read_text().split():
            yield "1860", _filled(_panel(name), read["variables"])


def empty(stack: str) -> dict[str, str]:
    """Return the patterns of expressions that may be empty, each with its reason."""
    found: dict[str, str] = _dashboards(stack)["empty"]
    return found


def subject(rule: str) -> str:
    """Return what *rule* looks at: without the threshold it would mostly be empty."""
    return DECISION.sub("", rule.strip())


def names(rule: str) -> list[str]:
    """Return the metrics of ours and of rules before it that *rule* names."""
    return re.findall(r"\b(?:(?:node|nginx|promtail)_|instance\w*:)[\w:]+", rule)


def rules(url: str) -> Iterator[tuple[str, str, str]]:
    """Yield (name, expression, health) of every rule that the Prometheus has loaded."""
    for group in get_json(f"{url}/api/v1/rules")["data"]["groups"]:
        for rule in group["rules"]:
            yield rule["name"], rule["query"], rule["health"]


def _dashboards(stack: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(
        (FOLDER / stack / "dashboards.yaml").read_text()
    )
    return read


def _panel(name: str) -> str:
    """Return what a panel of 1860 has of the metric *name*."""
    selector = f'{name}{{job="$job",instance="$node"}}'
    counts = name.endswith("_total") or name.startswith(("node_netstat", "node_vmstat"))
    return f"irate({selector}[$__rate_interval])" if counts else selector


def _filled(expression: str, variables: dict[str, str]) -> str:
    for name in sorted(variables, key=len, reverse=True):
        expression = expression.replace(f"${name}", variables[name])
    return expression
