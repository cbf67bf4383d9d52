"""Command lines, variables and files as people write them, with values of our own.

Where from: compose files, manifests, charts, units, NixOS and ansible modules, guides.
What each became in the original that it was written for is in the comments.
"""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from exporters.nginx import legacy
from exporters.nginx.access_log import config
from exporters.nginx.cli import PROGRAM
from exporters.nginx.flags import (
    CONST_LABEL,
    LISTEN_ADDRESS,
    NGINX_PLUS,
    SCRAPE_URI,
    TELEMETRY_PATH,
    TIMEOUT,
)
from exporters.nginx.fpm import flags as fpm
from exporters.nginx.fpm.targets import parse_fpm_targets
from exporters.nginx.http.proxy_protocol import PROXY_PROTOCOL
from exporters.nginx.http.tls import SSL_VERIFY
from exporters.nginx.metrics import const_labels
from exporters.nginx.targets import parse_targets
from exporters.toolkit.errors import StartError, UsageError
from exporters.toolkit.flags import Values


STUB = "http://nginx:8080/stub_status"
DEFAULTS = {
    "uris": ["http://127.0.0.1:8080/stub_status"],
    "labels": {},
    "timeout": 5.0,
    "listen": (":9113",),
    "path": "/metrics",
    "verify": False,
    "plus": False,
    "proxy": False,
}


def parse(line: str, environ: dict[str, str]) -> Values:
    argv = legacy.modernized(shlex.split(line), PROGRAM.flags)
    return PROGRAM.parse(tuple(argv), environ)


def read(line: str, environ: dict[str, str]) -> dict[str, Any]:
    values = parse(line, environ)
    uris = values[SCRAPE_URI]
    return {
        "uris": [target.url for target in parse_targets(uris)],
        "labels": const_labels(legacy.const_labels(values, CONST_LABEL)),
        "timeout": values[TIMEOUT],
        "listen": values[LISTEN_ADDRESS],
        "path": values[TELEMETRY_PATH],
        "verify": values[SSL_VERIFY],
        "plus": values[NGINX_PLUS],
        "proxy": values[PROXY_PROTOCOL],
    }


COMMAND_LINES: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    # 0.x: one dash, the value behind a blank
    (f"-nginx.scrape-uri {STUB}", {}, {"uris": [STUB]}),
    (
        f"-nginx.scrape-uri '{STUB}' -nginx.retries 50 -nginx.retry-interval 10s",
        {},
        {"uris": [STUB]},
    ),
    (
        f"-nginx.scrape-uri={STUB} -nginx.retries=10 -web.telemetry-path=/prometheus",
        {},
        {"uris": [STUB], "path": "/prometheus"},
    ),
    (  # a sidecar on the pod's own address
        (
            "-web.listen-address=127.0.0.1:10354 -nginx.ssl-verify=false "
            "-nginx.scrape-uri=http://127.0.0.1:10253/nginx_status"
        ),
        {},
        {
            "uris": ["http://127.0.0.1:10253/nginx_status"],
            "listen": ("127.0.0.1:10354",),
        },
    ),
    (
        f"-nginx.scrape-uri={STUB} -nginx.ssl-verify=true",
        {},
        {"uris": [STUB], "verify": True},
    ),
    # a template that repeats what 0.x wants in one list; 0.x took the last
    (
        "--prometheus.const-labels=app=shop --prometheus.const-labels=port=3001",
        {},
        {"labels": {"app": "shop", "port": "3001"}},
    ),
    ("--prometheus.const-labels= --nginx.ssl-verify=1", {}, {"verify": True}),
    # 1.x
    (
        (
            "--nginx.scrape-uri='http://localhost/nginx_status' --no-nginx.ssl-verify "
            "--web.listen-address=':9113' --web.telemetry-path='/metrics'"
        ),
        {},
        {"uris": ["http://localhost/nginx_status"]},
    ),
    (
        (
            "--nginx.scrape-uri=https://nginx:8443/status --nginx.ssl-verify "
            "--web.listen-address=0.0.0.0:9113 --nginx.timeout=10s"
        ),
        {},
        {
            "uris": ["https://nginx:8443/status"],
            "verify": True,
            "listen": ("0.0.0.0:9113",),
            "timeout": 10.0,
        },
    ),
    (
        "--nginx.plus --nginx.scrape-uri=http://user:word@plus:8080/api",
        {},
        {"uris": ["http://plus:8080/api"], "plus": True},
    ),
    (
        (
            f"--web.listen-address=:9113 --web.listen-address=:9114 "
            f"--nginx.scrape-uri={STUB} --nginx.scrape-uri=http://b/s"
        ),
        {},
        {"uris": [STUB, "http://b/s"], "listen": (":9113", ":9114")},
    ),
    (  # a guide's; upstream sends the Host "unixlocalhost"
        "--nginx.scrape-uri=unix:///run/status.sock:localhost/stub_status",
        {},
        {"uris": ["http://unixlocalhost/stub_status"]},
    ),
    # variables
    (
        "",
        {
            "LISTEN_ADDRESS": ":9113",
            "NGINX_PLUS": "false",
            "SCRAPE_URI": STUB,
            "TIMEOUT": "10s",
        },
        {"uris": [STUB], "timeout": 10.0},
    ),
    (
        "",
        {"SCRAPE_URI": f"{STUB}/", "NGINX_RETRIES": "10", "TELEMETRY_PATH": "/m"},
        {"uris": [f"{STUB}/"], "path": "/m"},
    ),
    ("", {"SCRAPE_URI": f"{STUB}\n"}, {"uris": [STUB]}),  # from a file
    ("", {"SCRAPE_URI": f"{STUB}\r\n"}, {"uris": [STUB]}),
    ("", {"SCRAPE_URI": "", "SSL_VERIFY": "", "CONST_LABELS": ""}, {}),
    *[
        (
            "",
            {"SSL_VERIFY": word, "PROXY_PROTOCOL": word},
            {"verify": is_, "proxy": is_},
        )
        for words, is_ in (("1 t T true TRUE True", True), ("0 f F false False", False))
        for word in words.split()
    ],
    (  # 1.x made one label of it
        "--nginx.scrape-uri=http://localhost/nginx_status",
        {"CONST_LABELS": "zone=a,env=prod"},
        {
            "uris": ["http://localhost/nginx_status"],
            "labels": {"zone": "a", "env": "prod"},
        },
    ),
    (
        "",
        {"CONST_LABELS": "zone=a,env=prod,"},
        {"labels": {"zone": "a", "env": "prod"}},
    ),
    (
        "",
        {"CONST_LABELS": "zone=a\nenv=prod"},
        {"labels": {"zone": "a", "env": "prod"}},
    ),
]


@pytest.mark.parametrize(("line", "environ", "found"), COMMAND_LINES)
def test_command_line(
    line: str, environ: dict[str, str], found: dict[str, Any]
) -> None:
    assert read(line, environ) == DEFAULTS | found


@pytest.mark.parametrize(
    ("line", "environ", "error"),
    [
        # an item of a YAML list with a blank in it
        (f"'-nginx.scrape-uri {STUB}'", {}, "unknown long flag '--nginx.scrape-uri h"),
        ("-nginx.scrape.uri=http://h/s", {}, "unknown long flag '--nginx.scrape.uri'"),
        ("-nginx.scrape_uri=http://h/s", {}, "unknown long flag '--nginx.scrape_uri'"),
        # the program's name, or another's subcommand, as the first word
        (
            f"nginx-prometheus-exporter -nginx.scrape-uri={STUB}",
            {},
            "unexpected nginx-",
        ),
        ("server --phpfpm.scrape-uri=tcp://php:9000/status", {}, "unexpected server"),
        ("--nginx.ssl-verify 1", {}, "unexpected 1"),
        ("\N{EN DASH}nginx.scrape-uri=http://h/s", {}, "unexpected \N{EN DASH}nginx"),
        ("--nginx.timeout=10", {}, 'missing unit in duration "10"'),
        ("", {"TIMEOUT": "10"}, 'missing unit in duration "10"'),
        ("", {"SSL_VERIFY": "yes"}, 'ParseBool: parsing "yes"'),
        ("", {"NGINX_PLUS": "no"}, 'ParseBool: parsing "no"'),
        ("--web.telemetry-path=/a --web.telemetry-path=/b", {}, "cannot be repeated"),
        ("--nginx.scrape-uri=nginx:8080/status", {}, "cannot read --nginx.scrape-uri"),
        ("", {"SCRAPE_URI": f'"{STUB}"'}, "cannot read --nginx.scrape-uri"),
        ("", {"CONST_LABELS": '"a=b"'}, "is not a label name"),
    ],
)
def test_what_cannot_be_meant(line: str, environ: dict[str, str], error: str) -> None:
    with pytest.raises((UsageError, StartError)) as caught:
        read(line, environ)
    assert error in str(caught.value)


TCP, SOCKET = "tcp://php:9000/status", "unix:///run/php.sock;/fpm-status"


@pytest.mark.parametrize(
    ("line", "environ", "names", "fixed"),
    [
        (f"--phpfpm.scrape-uri={TCP}", {}, [TCP], False),
        (f"--phpfpm.scrape-uri {TCP} --web.listen-address :9253", {}, [TCP], False),
        (f"--phpfpm.scrape-uri '{TCP},{SOCKET}'", {}, [TCP, SOCKET], False),
        (
            f"--phpfpm.scrape-uri={TCP} --phpfpm.fix-process-count=false",
            {},
            [TCP],
            False,
        ),
        ("", {"PHP_FPM_SCRAPE_URI": SOCKET}, [SOCKET], False),
        (  # compose's list keeps the quotes; pflag reads CSV
            "",
            {"PHP_FPM_SCRAPE_URI": f'"{TCP}"', "PHP_FPM_FIX_PROCESS_COUNT": "true"},
            [TCP],
            True,
        ),
        ("", {"PHP_FPM_SCRAPE_URI": f'"{TCP}","{SOCKET}"'}, [TCP, SOCKET], False),
        ("", {"PHP_FPM_SCRAPE_URI": f"{TCP}, {SOCKET}\n"}, [TCP, SOCKET], False),
        ("", {"PHP_FPM_SCRAPE_URI": "", "PHP_FPM_LOG_LEVEL": "debug"}, [], False),
    ],
)
def test_php_fpm(
    line: str, environ: dict[str, str], names: list[str], *, fixed: bool
) -> None:
    values = parse(line, environ)
    uris = values[fpm.HIPAGES_SCRAPE_URI]
    assert [target.name for target in parse_fpm_targets(uris)] == names
    assert values[fpm.HIPAGES_FIX_PROCESS_COUNT] is fixed


FORMAT = '$remote_addr [$time_local] "$request" $status $body_bytes_sent'


@pytest.mark.parametrize(
    ("file", "warnings"),
    [
        (  # a book's, often copied: only_count is none of its keys
            """
listen:
  port: 4040
  metrics_endpoint: "/metrics"
consul:
  enable: false
namespaces:
  - name: web
    format: "FORMAT"
    source:
      files:
        - /var/log/nginx/access.log
    only_count: true
""",
            ["consul", "only_count", "listen"],
        ),
        (  # of an earlier version
            """
enable_experimental: true
namespaces:
  - name: "web"
    format: "FORMAT"
    source_files:
      - /var/log/nginx/access.log
""",
            ["enable_experimental"],
        ),
        (  # a fork's key
            """
namespaces:
  - name: web
    format: "FORMAT"
    source: {files: [/var/log/nginx/access.log]}
    predate_initialization: 30s
""",
            ["predate_initialization"],
        ),
        (  # what NixOS writes
            (
                '{"consul":{"enable":false},"listen":{"address":"::1","port":4040},'
                '"namespaces":[{"format":"FORMAT","name":"web","source":'
                '{"files":["/var/log/nginx/access.log"]}}]}'
            ),
            ["consul", "listen"],
        ),
        (  # said once, used twice
            """
x-source: &source
  source: {files: [/var/log/nginx/access.log]}
namespaces:
  - <<: *source
    name: web
    format: "FORMAT"
""",
            ["x-source"],
        ),
    ],
)
def test_log_configurations(
    file: str, warnings: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    text = file.replace("FORMAT", FORMAT.replace('"', r"\""))
    (plan,) = config.parse(text.encode(), "c.yml")
    assert plan.files == ("/var/log/nginx/access.log",)
    assert (plan.settings.prefix, plan.settings.format) == ("web", FORMAT)
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == len(warnings)
    for word, message in zip(warnings, messages, strict=True):
        assert word in message
