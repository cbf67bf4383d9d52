"""Side by side with the real promtail at one Docker daemon: the same streams."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shipper.docker.real import RealDocker, own_daemon
from tests.shipper.oracle.conftest import (
    Shipped,
    ours,
    promtail,
    promtail_path,
    recorder,
    settled,
)


pytestmark = [pytest.mark.docker, pytest.mark.oracle]

# What each job does beside finding the containers of the test; `case` tells them apart.
NAME, ID = "__meta_docker_container_name", "__meta_docker_container_id"
STREAM = "__meta_docker_container_log_stream"
LABEL = "__meta_docker_container_label"
JOBS = {
    "names": f"""
      - {{source_labels: [{NAME}], regex: '/?(.*)', target_label: container_name}}
      - {{source_labels: [{STREAM}], target_label: stream}}
""",
    "labelmap": f"""
      - {{action: labelmap, regex: {LABEL}_(.+)}}
""",
    "everything": """
      - {action: labelmap, regex: __meta_docker_(.+)}
      - {source_labels: [__address__], target_label: address}
""",
    "functions": f"""
      - {{source_labels: [{NAME}], action: uppercase, target_label: up}}
      - {{source_labels: [{ID}], action: hashmod, modulus: 7, target_label: shard}}
      - {{source_labels: [{NAME}, {STREAM}], separator: '@', target_label: both}}
      - source_labels: [{LABEL}_team]
        regex: '(.)(.*)'
        replacement: '${{2}}-$1'
        target_label: team
      - {{source_labels: [up], regex: 'NOPE', replacement: x, target_label: never}}
      - {{action: labeldrop, regex: 'up'}}
""",
}
STAGES = {
    "docker stage": "[{docker: {}}]",
    "json": "[{json: {expressions: {level: , at: time}}}, {labels: {level: }}, "
    "{timestamp: {source: at, format: RFC3339Nano}}]",
    "multiline": "[{multiline: {firstline: '^out 1', max_wait_time: 1s}}]",
    "match": "[{match: {selector: '{stream=\"stderr\"}', action: drop}}, "
    "{static_labels: {kept: 'yes'}}]",
}
NAMES = JOBS["names"]


def config(url: str, folder: Path, mark: str) -> str:
    """Return the YAML for both, the address of their Loki apart."""
    jobs = [_job(name, rules, "") for name, rules in JOBS.items()]
    jobs += [
        _job(name, NAMES, f"    pipeline_stages: {stages}\n")
        for name, stages in STAGES.items()
    ]
    return f"""
server: {{disable: true}}
positions: {{filename: {folder}/positions.yaml}}
clients: [{{url: "{url}", batchwait: 100ms}}]
scrape_configs:
{"".join(jobs)}""".replace("MARK", mark)


def _job(name: str, rules: str, rest: str) -> str:
    return f"""
  - job_name: {name}
    docker_sd_configs:
      - host: unix:///var/run/docker.sock
        refresh_interval: 1s
        filters: [{{name: label, values: [shipper-test=MARK]}}]
    relabel_configs:
      - {{target_label: case, replacement: {name}}}{rules}{rest}"""


@pytest.fixture
def docker() -> Iterator[RealDocker]:
    with own_daemon() as found:
        yield found


async def containers(docker: RealDocker) -> None:
    """Start containers that say something and stay."""
    stay = "; sleep 600"
    both = "for i in 1 2 3 11 12; do echo out $i; echo err $i >&2; done"
    await docker.run(
        "--label", "team=red", "--name", _name(docker, "a"), script=both + stay
    )
    await docker.run(
        "-t", script="echo one; echo two; printf 'three\\n\\nfive\\n'" + stay
    )
    long = (
        "head -c 100000 /dev/zero | tr '\\000' x; echo; echo; printf 'cr\\r\\n';"
        "printf '\\303\\244 umlaut\\n'; head -c 16384 /dev/zero | tr '\\000' y; echo"
    )
    await docker.run(script=long + stay)
    lines = [
        '{"level":"info","time":"2026-11-20T10:00:00.123456789Z","msg":"a"}',
        '{"log":"body\\\\n","stream":"stderr","time":"2026-11-20T10:00:01Z"}',
        "no json",
    ]
    said = "; ".join(f"printf '%s\\n' '{line}'" for line in lines)
    await docker.run(
        "--label", "com.docker.compose.service=db", "--label", "a.b-c=d",
        script=said + stay,
    )  # fmt: skip
    await docker.run("--expose", "80", script=both + stay, network="bridge")
    await docker.run(script="echo host" + stay, network="host")


def _name(docker: RealDocker, name: str) -> str:
    return f"oracle-{docker.mark[:8]}-{name}"


def _by_case(entries: list[Shipped]) -> dict[str, Counter[Shipped]]:
    found: dict[str, Counter[Shipped]] = {}
    for entry in entries:
        case = dict(entry.labels)["case"]
        found.setdefault(case, Counter())[entry] += 1
    return found


async def test_same_streams(docker: RealDocker, tmp_path: Path) -> None:
    if promtail_path() is None:
        pytest.skip("PROMTAIL names no promtail to compare with")
    await containers(docker)
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
    async with recorder() as a, recorder() as b:
        text = config(b.url, tmp_path / "theirs", docker.mark)
        async with promtail(text, tmp_path / "theirs"):
            async with ours(config(a.url, tmp_path / "ours", docker.mark)):
                await settled(a)
            await settled(b)
        mine, theirs = _by_case(a.entries), _by_case(b.entries)
    assert mine.keys() == theirs.keys() == {*JOBS, *STAGES}
    for case in mine:
        assert mine[case] == theirs[case], case
    print(f"{len(mine)} jobs, {len(a.entries)} entries equal")
