from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from exporters.toolkit.decode import decode
from exporters.toolkit.errors import StartError
from shipper.config.model import Config
from shipper.config.tls import TlsConfig
from shipper.loki.backoff import Backoff
from shipper.loki.configure import client_settings
from shipper.loki.headers import Credentials
from shipper.loki.settings import ClientSettings
from shipper.tls import tls_context


def settings(text: str) -> ClientSettings:
    body = "\n".join("    " + line for line in text.strip().splitlines())
    config = decode(f"clients:\n  -\n{body}\n".encode(), Config, "c.yaml")
    return client_settings(config.all_clients[0])


def test_defaults_are_promtails_but_nothing_is_given_up() -> None:
    found = settings("url: http://loki:3100/loki/api/v1/push")
    assert found == ClientSettings(
        url="http://loki:3100/loki/api/v1/push", host="loki:3100", name=found.name
    )
    assert found.backoff == Backoff(0.5, 300.0)
    assert found.max_retries is None


@pytest.mark.parametrize("attempts", [0, 3, 10])
def test_attempts_are_those_that_were_asked_for(attempts: int) -> None:
    found = settings(f"""
url: http://loki:3100/push
backoff_config: {{max_retries: {attempts}}}
""")
    assert found.max_retries == attempts


def test_every_key() -> None:
    found = settings("""
url: https://me:s3cret@loki.example/push
name: main
batchwait: 2s
batchsize: 1000
timeout: 3s
tenant_id: t
external_labels: {env: prod}
headers: {X-A: b}
drop_rate_limited_batches: true
backoff_config: {min_period: 1s, max_period: 1m, max_retries: 3}
tls_config: {server_name: other, insecure_skip_verify: true}
""")
    assert (found.url, found.host) == ("https://loki.example/push", "loki.example")
    assert found.credentials == Credentials(username="me", password="s3cret")
    assert (found.batch_wait_seconds, found.batch_size_bytes) == (2.0, 1000)
    assert (found.timeout_seconds, found.tenant, found.name) == (3.0, "t", "main")
    assert found.external_labels == {"env": "prod"}
    assert found.headers == {"X-A": "b"}
    assert found.drop_rate_limited_batches
    assert (found.backoff, found.max_retries) == (Backoff(1.0, 60.0), 3)
    assert found.trip.server_name == "other"
    assert found.trip.tls is not None
    assert found.trip.tls.current().verify_mode is ssl.CERT_NONE
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("text", "credentials"),
    [
        ("bearer_token: abc", Credentials(scheme="Bearer", token="abc")),
        ("bearer_token_file: /t", Credentials(scheme="Bearer", token_file="/t")),
        (
            "authorization: {type: ApiKey, credentials: abc}",
            Credentials(scheme="ApiKey", token="abc"),
        ),
        (
            "basic_auth: {username: u, password_file: /p}",
            Credentials(username="u", password_file="/p"),
        ),
    ],
)
def test_ways_to_sign_in(text: str, credentials: Credentials) -> None:
    assert settings(f"url: http://l/p\n{text}").credentials == credentials


def test_no_tls_config_means_the_default_context() -> None:
    assert tls_context(TlsConfig()) is None


def test_versions_and_a_server_name() -> None:
    context = tls_context(TlsConfig(min_version="TLS13", max_version="TLS13"))
    assert context is not None
    assert context.minimum_version == ssl.TLSVersion.TLSv1_3
    assert context.maximum_version == ssl.TLSVersion.TLSv1_3
    assert context.check_hostname


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (TlsConfig(ca_file="/nowhere/ca.pem"), "/nowhere/ca.pem: No such file"),
        (TlsConfig(ca="rubbish"), "tls_config.ca: "),
        (
            TlsConfig(cert_file="/nowhere/c", key_file="/nowhere/k"),
            "(/nowhere/c) & key (/nowhere/k): No such file",
        ),
    ],
)
def test_files_that_cannot_be_used_are_told_in_one_line(
    config: TlsConfig, words: str
) -> None:
    with pytest.raises(StartError) as told:
        tls_context(config)
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_rubbish_as_a_certificate(tmp_path: Path) -> None:
    file = tmp_path / "x.pem"
    file.write_text("rubbish")
    with pytest.raises(StartError, match="unable to use specified client cert"):
        tls_context(TlsConfig(cert_file=str(file), key_file=str(file)))
