from __future__ import annotations

import pytest

from shipper.config.load import parse
from shipper.config.traps import traps, unexpanded


HEAD = """
server: {http_listen_port: 9080}
positions: {filename: /var/lib/promtail/positions.yaml}
clients: [{url: 'http://loki:3100/loki/api/v1/push'}]
"""
DOCKER = """
scrape_configs:
- job_name: j
  docker_sd_configs: [{host: 'unix:///var/run/docker.sock'}]
  relabel_configs: [{source_labels: [a], target_label: b}]
"""


def found(text: str) -> list[tuple[str, bool]]:
    return [
        (trap.text, trap.at_start)
        for trap in traps(parse(text.encode(), "c.yaml", None)[0])
    ]


def test_a_clean_config_has_none() -> None:
    assert found(HEAD + DOCKER) == []


@pytest.mark.parametrize(
    ("text", "part", "at_start"),
    [
        (HEAD.replace("/var/lib/promtail", "/tmp") + DOCKER, "/tmp/positions", False),
        (HEAD.replace("9080", "80") + DOCKER, "http_listen_port is 80", False),
        (
            HEAD.replace("}]", ", backoff_config: {max_retries: 5}}]") + DOCKER,
            "max_retries 5 gives lines up",
            False,
        ),
        (
            HEAD.replace("}]", ", drop_rate_limited_batches: true}]") + DOCKER,
            "drop_rate_limited_batches loses",
            False,
        ),
        (HEAD.replace("}]", ", batchwait: 1}]") + DOCKER, "no unit", False),
        (
            HEAD + DOCKER + "  static_configs: [{labels: {__path__: /x}}]\n",
            "promtail reads only files here and ignores Docker",
            True,
        ),
        (
            HEAD + DOCKER.replace("target_label: b", "action: keep"),
            "promtail ignores keep",
            True,
        ),
        (
            HEAD + DOCKER.replace("target_label: b", "target_label: container_id"),
            "a new stream of every container",
            False,
        ),
        (
            HEAD + "scrape_configs: [{job_name: j, static_configs: [{targets: [a]}]}]",
            "static_configs without the label __path__",
            True,
        ),
        (HEAD + DOCKER + "  pipeline_stages: [{docker: }]", "JSON files", False),
        (HEAD + DOCKER + "  pipeline_stages: [{pack: {labels: [b]}}]", "now", False),
        (
            HEAD + DOCKER + "  pipeline_stages: [{limit: {rate: 1, burst: 1}}]",
            "holds the whole job back",
            False,
        ),
        (
            HEAD + DOCKER + "  pipeline_stages: [{match: {selector: '{b=\"1\"}', "
            "stages: [{labels: {request_id: , level: }}]}}]",
            "request_id",
            False,
        ),
    ],
)
def test_each_trap(text: str, part: str, at_start: bool) -> None:
    [(told, is_at_start)] = found(text)
    assert part in told
    assert is_at_start is at_start


def test_variables_that_nothing_expands() -> None:
    [trap] = unexpanded(b"url: ${LOKI_URL:-http://x}\npassword: ${PASS}\nre: ${1}")
    assert "LOKI_URL, PASS" in trap.text
    assert unexpanded(b"replacement: ${1}") == []
