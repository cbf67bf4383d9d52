"""On Linux the portable collectors say what those of Linux say."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from exporters.node import backend, cli, registry
from exporters.node.calls import run
from exporters.node.paths import Paths
from exporters.node.registry import CollectorSpec, Context, Registry
from exporters.toolkit.exposition import encode


ROUNDS = 20
# One family of Linux' stat is a collector of its own elsewhere.
OF_LINUX = {"boottime": "stat"}
# Read from a file with two digits there, from sysinfo(2) here; and the domain's name,
# which Python does not know.
TOLERANCE = {"node_load1": 0.01, "node_load5": 0.01, "node_load15": 0.01}
SAMPLE = re.compile(r"([a-z]\w*)(\{.*\})? (\S+)")


def exposed(specs: Sequence[CollectorSpec], names: set[str]) -> str:
    """Return what the collectors *names* say."""
    chosen = [spec for spec in specs if spec.name in names]
    assert {spec.name for spec in chosen} == names
    values = cli.program(specs).parse((), {})
    collectors = Registry(chosen, Context(Paths(), values)).enabled
    outcomes = {name: run(collect) for name, collect in collectors.items()}
    assert {n: o.error for n, o in outcomes.items() if o.error} == {}
    return encode(m for o in outcomes.values() for m in o.metrics).decode()


def heads(text: str) -> dict[str, str]:
    """Return HELP and TYPE by family."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("# "):
            _, kind, name, rest = line.split(" ", 3)
            found[name] = f"{found.get(name, '')} {kind} {rest}"
    return found


def samples(text: str) -> dict[str, float]:
    found = (SAMPLE.fullmatch(line) for line in text.splitlines() if line[:1] != "#")
    return {f"{m[1]}{m[2] or ''}": float(m[3]) for m in found if m}


@pytest.fixture(scope="module")
def portable() -> tuple[CollectorSpec, ...]:
    return backend.portable()


@pytest.mark.parametrize(
    "name",
    ["boottime", "cpu", "diskstats", "filesystem", "loadavg", "meminfo", "netdev"],
)
def test_families_and_values(name: str, portable: tuple[CollectorSpec, ...]) -> None:
    """Ours lies between two of theirs, in one round for what goes up and down."""
    linux = registry.discover()
    theirs_name = OF_LINUX.get(name, name)
    left: set[str] | None = None
    for _ in range(ROUNDS):
        before = exposed(linux, {theirs_name})
        ours = exposed(portable, {name})
        after = exposed(linux, {theirs_name})
        assert heads(ours).items() <= heads(before).items()
        low, high = samples(before), samples(after)
        wrong = {
            key
            for key, value in samples(ours).items()
            if key in high and not _between(key, low.get(key), value, high[key])
        }
        assert len(samples(ours)) > 0
        assert samples(ours).keys() <= low.keys() | high.keys()
        left = wrong if left is None else left & wrong
        if not left:
            return
    pytest.fail(f"never between: {sorted(left or ())}")


def _between(key: str, one: float | None, value: float, other: float) -> bool:
    if one is None:
        return True
    slack = TOLERANCE.get(key, 1e-9 * abs(value))
    return min(one, other) - slack <= value <= max(one, other) + slack


def test_uname_is_the_same_but_for_the_domain(
    portable: tuple[CollectorSpec, ...],
) -> None:
    ours, theirs = (
        re.sub(r'domainname="[^"]*",', "", exposed(specs, {"uname"}))
        for specs in (portable, registry.discover())
    )
    assert ours == theirs


def test_what_runs_anywhere_is_the_very_same(
    portable: tuple[CollectorSpec, ...],
) -> None:
    linux = {spec.name: spec for spec in registry.discover()}
    mine = {spec.name: spec for spec in portable}
    for name in ("os", "textfile", "time"):
        assert mine[name] is linux[name]
