from __future__ import annotations

from pathlib import Path

import pytest

from exporters.toolkit.decode import DecodeError
from exporters.toolkit.errors import StartError
from shipper.config.load import load, parse
from shipper.config.model import Config
from shipper.relabel import relabel


EXAMPLES = Path(__file__).parent / "promtail"

BAD = """\
server:
  http_listen_port: ninety
  grpc_listen_port: 0
clients:
  - url: loki:3100/push?token=hunter2
    batchwait: 1 second
scrape_configs:
  - job_name: docker
    docker_sd_configs:
      - refresh_interval: 5s
    relabel_configs:
      - source_labels: ['__meta_docker_container_name']
        regex: '/(.*'
        target_lable: 'container'
    pipeline_stages:
      - docker: {}
  - job_name: files
    static_configs:
      - targets: [localhost]
"""
BAD_OUTPUT = """\
config.yaml:2:21: cannot unmarshal !!str `ninety` into int
config.yaml:5:10: not a URL, expected http://host:port/path
config.yaml:6:16: time: unknown unit " second" in duration "1 second"
config.yaml:10:9: host missing
config.yaml:13:16: error parsing regexp: missing closing ): `/(.*`
config.yaml:14:9: field target_lable not found in RelabelConfig \
(did you mean target_label?)
"""


def config(text: str) -> Config:
    return parse(text.encode(), "config.yaml", None)[0]


def errors(text: str) -> tuple[str, ...]:
    with pytest.raises(DecodeError) as caught:
        config(text)
    return caught.value.errors


def test_every_mistake_is_shown_at_once() -> None:
    assert "\n".join(errors(BAD)) + "\n" == BAD_OUTPUT


def test_the_usual_first_file() -> None:
    loaded = load(
        [str(EXAMPLES / "getting_started.yaml")], expand_env=False, environ={}
    )
    assert loaded.config.server.listen == ":9080"
    (client,) = loaded.config.all_clients
    assert client.url.text == "http://loki:3100/loki/api/v1/push"
    assert client.url.host == "loki:3100"
    assert (client.batchwait, client.batchsize, client.timeout) == (1.0, 1048576, 10.0)
    backoff = client.backoff_config
    assert (backoff.min_period, backoff.max_period, backoff.max_retries) == (
        0.5,
        300,
        None,  # for ever: promtail's 10 only when somebody asks for it
    )
    (job,) = loaded.config.scrape_configs
    (docker,) = job.docker_sd_configs
    assert (docker.refresh_interval, docker.port) == (5.0, 80)
    assert docker.match_first_network
    labels = {
        "__meta_docker_container_name": "/nginx",
        "__meta_docker_container_log_stream": "stderr",
    }
    final = relabel(labels, job.relabel_configs) or {}
    assert (final["container"], final["logstream"]) == ("nginx", "stderr")
    (warning,) = loaded.warnings
    assert warning.endswith(
        "getting_started.yaml:4:3: grpc_listen_port: accepted, but has no effect here"
    )


def test_a_compose_project_behind_basic_auth() -> None:
    path = str(EXAMPLES / "compose_project.yaml")
    loaded = load([path], expand_env=True, environ={"HOSTNAME": "web-1"})
    (client,) = loaded.config.all_clients
    assert client.url.text == "https://logs.example.org/loki/api/v1/push"
    assert client.login is not None
    assert client.login.username == "tenant"
    assert client.login.password.reveal() == "p@ss"
    assert "p@ss" not in repr(loaded)
    assert client.external_labels == {"host": "web-1"}
    assert (client.backoff_config.min_period, client.backoff_config.max_period) == (
        1,
        300,
    )
    assert client.backoff_config.max_retries == 0
    (job,) = loaded.config.scrape_configs
    assert job.docker_sd_configs[0].refresh_interval == 90.0
    assert job.docker_sd_configs[0].filters[0].values == (
        "com.docker.compose.project=shop",
    )
    prefix = "__meta_docker_container_label_"
    labels = {
        f"{prefix}com_docker_compose_service": "web",
        f"{prefix}logging_team": "a",
    }
    final = relabel(labels, job.relabel_configs) or {}
    assert (final["service"], final["team"]) == ("web", "a")
    assert relabel({"service": "mailhog"}, job.relabel_configs) is None
    assert loaded.warnings == ()


def test_two_hosts_share_by_anchors() -> None:
    loaded = load([str(EXAMPLES / "two_hosts.yaml")], expand_env=False, environ={})
    first, second = loaded.config.all_clients
    assert (first.timeout, second.timeout) == (30.0, 30.0)
    assert second.bearer_token_file == "/run/secrets/token"
    assert second.url.host == "loki-b:3100"
    assert second.headers["X-Team"].reveal() == "web"
    assert (first.label, second.label) == (first.label, "second")
    assert len(first.label) == 6
    near, far = loaded.config.scrape_configs
    assert near.relabel_configs == far.relabel_configs
    assert not far.docker_sd_configs[0].match_first_network
    assert loaded.config.target_config.sync_period > 0
    assert loaded.warnings == ()


MINIMAL = "clients: [{url: 'http://l/'}]\n"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "1:1: at least one client config must be provided"),
        ("clients: [{name: a}]", "1:11: client needs target URL"),
        ("clients: [{url: ''}]", "1:17: client needs target URL"),
        (
            "clients: [{url: 'http://a/', name: x}, {url: 'http://b/', name: x}]",
            "1:40: duplicate client configs are not allowed, found duplicate for name",
        ),
        (
            "clients: [{url: 'http://a/'}, {url: 'http://a/'}]",
            "duplicate client configs are not allowed",
        ),
        (
            "clients: [{url: 'http://a/', bearer_token: a, basic_auth: {}}]",
            "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must",
        ),
        (
            "clients: [{url: 'http://a/', bearer_token: a, bearer_token_file: b}]",
            "at most one of bearer_token & bearer_token_file must be configured",
        ),
        (
            "clients: [{url: 'http://a/', authorization: {type: ' Basic'}}]",
            'authorization type cannot be set to "basic", use "basic_auth" instead',
        ),
        (
            "clients: [{url: 'http://a/', external_labels: {a-b: c}}]",
            '"a-b" is not a valid label name',
        ),
        (
            "clients: [{url: 'http://a/', oauth2: {a: b}}]",
            "oauth2 client_id must be configured",
        ),
        ("clients: [{url: 'http://a/', batchsize: -1}]", "1:41: batchsize must"),
        (
            "clients: [{url: 'http://a/', tls_config: {cert_file: c}}]",
            "exactly one of key or key_file must be configured",
        ),
        (MINIMAL + "wal: {enabled: true}", "2:7: enabled: experimental in promtail"),
        (MINIMAL + "server: {http_listen_port: 70000}", "70000 is not a port"),
        (MINIMAL + "server: {log_level: loud}", "2:21: expected one of debug, info"),
        (MINIMAL + "scrape_configs: [{}]", "2:18: job_name is empty"),
        (
            MINIMAL + "scrape_configs: [{job_name: a}]",
            '2:18: no valid target scrape config defined for "a"',
        ),
        (
            MINIMAL + "scrape_configs: [{job_name: a, docker_sd_configs: [{host: x}]}]",
            "2:59: host: expected unix://",
        ),
        (
            MINIMAL
            + "scrape_configs:\n"
            + 2 * "- {job_name: a, docker_sd_configs: [{host: 'unix:///x'}]}\n",
            '3:14: found multiple scrape configs with job name "a"',
        ),
        (
            MINIMAL + "scrape_configs: [{job_name: a, docker_sd_configs: "
            "[{host: 'unix:///x', refresh_interval: 5minutes}]}]",
            'unknown unit "minutes" in duration "5minutes"',
        ),
    ],
)
def test_checks(text: str, error: str) -> None:
    assert any(error in line for line in errors(text)), errors(text)


def test_a_refused_source_is_said_once() -> None:
    """Not also that the job has no source."""
    text = MINIMAL + "scrape_configs: [{job_name: a, kafka: {brokers: [b]}}]"
    [error] = errors(text)
    assert ":2:32: kafka: not supported: let a consumer" in error


def test_the_deprecated_client_is_pushed_to_as_well() -> None:
    text = """
    client: {url: http://old/, external_labels: {a: old, b: old}}
    clients: [{url: http://new/, external_labels: {a: new}}]
    """
    loaded, warnings = parse(text.encode(), "c.yaml", None)
    assert [client.url.host for client in loaded.all_clients] == ["new", "old"]
    assert loaded.all_clients[0].external_labels == {"a": "new", "b": "old"}
    assert warnings == ("c.yaml: client is deprecated, put it into clients",)
    alone = config("client: {url: http://old/}")
    assert [client.url.host for client in alone.all_clients] == ["old"]


def test_accepted_keys_warn_each_by_name() -> None:
    text = (
        MINIMAL + "tracing: {enabled: true}\nserver:\n  http_server_read_timeout: 1m\n"
    )
    assert parse(text.encode(), "c.yaml", None)[1] == (
        "c.yaml:2:1: tracing: accepted, but has no effect here",
        "c.yaml:4:3: http_server_read_timeout: accepted, but has no effect here",
    )


def test_the_first_file_that_exists_counts(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(MINIMAL)
    (tmp_path / "c.yaml").write_text("nonsense")
    paths = [str(tmp_path / name) for name in ("a.yaml", "b.yaml", "c.yaml")]
    assert load(paths, expand_env=False, environ={}).path == paths[1]


def test_unreadable_files_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(StartError) as caught:
        load([str(tmp_path)], expand_env=False, environ={})
    assert str(caught.value) == f"{tmp_path}: cannot be read: Is a directory"
    with pytest.raises(StartError, match=r"^/no/a or /no/b: no such config file$"):
        load(["/no/a", "/no/b"], expand_env=False, environ={})


def test_variables_are_only_replaced_when_asked_and_errors_have_a_place() -> None:
    text = b"clients: [{url: 'http://l/', tenant_id: '${T}'}]"
    plain = parse(text, "c.yaml", None)[0].clients[0].tenant_id
    expanded = parse(text, "c.yaml", {"T": "x"})[0].clients[0].tenant_id
    assert (plain, expanded) == ("${T}", "x")
    with pytest.raises(DecodeError) as caught:
        parse(b"a: b\nc: ${X-y}", "c.yaml", {})
    assert caught.value.errors == (
        "c.yaml:2:4: -config.expand-env: missing closing brace",
    )


def test_ipv6_listen_address() -> None:
    text = MINIMAL + "server: {http_listen_address: '::1', http_listen_port: 1}"
    assert config(text).server.listen == "[::1]:1"


def test_a_batch_may_be_a_single_line() -> None:
    text = "clients: [{url: 'http://l/', batchwait: 0s, batchsize: 0}]"
    (client,) = config(text).clients
    assert (client.batchwait, client.batchsize) == (0, 0)
