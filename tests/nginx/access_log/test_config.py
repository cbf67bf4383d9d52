from __future__ import annotations

from pathlib import Path

import pytest

from exporters.nginx.access_log.config import load, parse
from exporters.nginx.access_log.plan import Plan
from exporters.nginx.access_log.settings import (
    DEFAULT_FORMAT,
    Match,
    Relabeling,
    Settings,
)
from exporters.nginx.access_log.sources.listen import EXPECTED, Listen
from exporters.toolkit.errors import StartError


WHOLE = """
listen: {port: 4041, address: 10.1.2.3, metrics_endpoint: /numbers}
consul:
  enable: true
  service: {id: x, tags: [a]}
enable_experimental: true
namespaces:
  - name: shop
    metrics_override: {prefix: web}
    namespace_label: vhost
    parser: json
    source:
      files: [/var/log/nginx/shop.log, "/var/log/nginx/shop-*.log"]
      syslog:
        listen_address: udp://127.0.0.1:8514
        format: rfc3164
        tags: [shop, nginx]
    labels: {app: shop, environment: production}
    relabel_configs:
      - target_label: host
        from: server_name
        whitelist: [a.example, b.example]
      - target_label: request_uri
        from: request
        split: 2
        separator: " "
        only_counter: true
        matches:
          - {regexp: "^/users/([0-9]+)", replacement: "/users/$1"}
    histogram_buckets: [.005, 1, 2.5]
    print_log: true
  - name: blog
    source_files: [blog.log]
    format: $remote_addr "$request" $status
"""


def test_everything_upstream_reads(caplog: pytest.LogCaptureFixture) -> None:
    assert parse(WHOLE.encode(), "c.yaml") == (
        Plan(
            settings=Settings(
                name="shop",
                prefix="web",
                const_labels={"vhost": "shop"},
                labels={"app": "shop", "environment": "production"},
                relabel_configs=(
                    Relabeling(
                        target_label="host",
                        from_="server_name",
                        whitelist=("a.example", "b.example"),
                    ),
                    Relabeling(
                        target_label="request_uri",
                        from_="request",
                        split=2,
                        matches=(Match("^/users/([0-9]+)", "/users/$1"),),
                        only_counter=True,
                    ),
                ),
                histogram_buckets=(0.005, 1.0, 2.5),
                parser="json",
                format=DEFAULT_FORMAT,
            ),
            files=("/var/log/nginx/shop.log", "/var/log/nginx/shop-*.log"),
            listens=(Listen("udp", "127.0.0.1", 8514),),
            tags=("shop", "nginx"),
            print_log=True,
        ),
        Plan(
            settings=Settings(
                name="blog",
                prefix="blog",
                parser="text",
                format='$remote_addr "$request" $status',
            ),
            files=("blog.log",),
        ),
    )
    assert [record.getMessage() for record in caplog.records] == [
        "c.yaml:3:1: consul: accepted, but has no effect here",
        "c.yaml:6:1: enable_experimental: accepted, but has no effect here",
        (
            "c.yaml: listen: has no effect here, expected "
            "--web.listen-address=10.1.2.3:4041 --web.telemetry-path=/numbers"
        ),
    ]


def test_keys_that_upstream_ignores_pass(caplog: pytest.LogCaptureFixture) -> None:
    text = b"""
x-format: &format $remote_addr $status
namespaces:
  - name: a
    format: *format
    only_count: true
    relabel_configs: [{target_label: u, from: request, description: why}]
"""
    (plan,) = parse(text, "c.yaml")
    assert plan.settings.format == "$remote_addr $status"
    assert [record.getMessage() for record in caplog.records] == [
        "c.yaml:2:1: field x-format not found in Config, ignored",
        "c.yaml:6:5: field only_count not found in Namespace, ignored",
        "c.yaml:7:56: field description not found in Relabeling, ignored",
    ]


def test_no_prefix() -> None:
    (plan,) = parse(b"namespaces: [{name: a, metrics_override: {prefix: ''}}]", "c")
    assert plan.settings.prefix == ""
    assert plan.settings.const_labels == {}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "c.yaml: expected namespaces, found none"),
        ("namespaces: []", "c.yaml: expected namespaces, found none"),
        (
            "namespaces: [{name: a, sources: {}}]",
            "c.yaml:1:24: field sources not found in Namespace (did you mean source?)",
        ),
        (
            "namespaces: [{relabel_configs: [{target_label: u, from: x, match: []}]}]",
            "c.yaml:1:60: field match not found in Relabeling (did you mean matches?)",
        ),
        (
            "namespaces: [{name: a, source: {syslog: {listen_address: 'x:1'}}}]",
            f"c.yaml:1:58: cannot read syslog address 'x:1': {EXPECTED}",
        ),
        (
            "namespaces: [{name: a, source: {syslog: {tags: [a]}}}]",
            "c.yaml:1:41: listen_address missing in SyslogSource",
        ),
        (
            "namespaces: [{name: a, parser: jso}]",
            'c.yaml:1:32: expected one of "", text, json',
        ),
        (
            "namespaces: [{name: a, histogram_buckets: [x]}]",
            "c.yaml:1:44: cannot unmarshal !!str `x` into float64",
        ),
        (
            "namespaces:\n  - name: a\n    relabel_configs: [{from: request}]",
            "c.yaml:3:23: target_label missing in Relabeling",
        ),
        ("namespaces: [", "c.yaml:1:14: "),
    ],
)
def test_mistakes_have_a_place(text: str, error: str) -> None:
    with pytest.raises(StartError) as caught:
        parse(text.encode(), "c.yaml")
    assert str(caught.value).startswith(error)
    assert "\n" not in str(caught.value)


def test_what_the_metrics_cannot_be_made_of_has_a_place() -> None:
    with pytest.raises(StartError) as caught:
        parse(b"namespaces:\n- name: a\n  labels: {not-a-name: x}\n- name: b", "c.yaml")
    assert str(caught.value).startswith("c.yaml:2:3: ")
    assert "not-a-name" in str(caught.value)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("c.hcl", "anything"),
        ("c.conf", 'listen {\n  port = 4040\n}\nnamespace "nginx" {\n}\n'),
        ("c.yaml", '\n  namespace "nginx" {\n  }\n'),
    ],
)
def test_hcl_is_refused_in_one_line(file: str, text: str) -> None:
    with pytest.raises(StartError) as caught:
        parse(text.encode(), file)
    assert str(caught.value) == (
        f"{file}: HCL is not supported, expected the same settings as YAML: "
        "namespaces: [{name: …, source: …}]"
    )


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StartError) as caught:
        load(str(tmp_path / "c.yaml"))
    assert str(caught.value) == f"open {tmp_path}/c.yaml: no such file or directory"
    (tmp_path / "c.yaml").write_text("namespaces: [{name: a}]")
    assert [plan.settings.name for plan in load(str(tmp_path / "c.yaml"))] == ["a"]
