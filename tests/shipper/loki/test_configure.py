from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from exporters.toolkit.decode import decode
from exporters.toolkit.errors import StartError
from shipper.config.limits import LimitsConfig
from shipper.config.model import ClientConfig, Config
from shipper.loki.backoff import Backoff
from shipper.loki.configure import client_settings, entry_limits, static_headers
from shipper.loki.headers import AddedHeader, Credentials
from shipper.loki.proxy import NoProxy, Proxy, ProxyRules
from shipper.loki.settings import ClientSettings, EntryLimits


def client(text: str) -> ClientConfig:
    body = "\n".join("    " + line for line in text.strip().splitlines())
    config = decode(f"clients:\n  -\n{body}\n".encode(), Config, "c.yaml")
    return config.all_clients[0]


def settings(text: str, **environ: str) -> ClientSettings:
    return client_settings(client(text), environ)


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


def test_the_login_of_the_url_goes_before_every_section() -> None:
    text = "url: http://u:p@l/p\nauthorization: {credentials: abc}"
    assert settings(text).credentials == Credentials(username="u", password="p")


def test_headers_encoding_and_redirects() -> None:
    found = settings("""
url: http://l/p
http_headers: {X-A: {values: [a], secrets: [s3cret], files: [/f]}, X-B: }
push_encoding: json
follow_redirects: false
""")
    assert found.added_headers == (
        AddedHeader("X-A", ("a", "s3cret"), ("/f",)),
        AddedHeader("X-B"),
    )
    assert (found.push_encoding, found.follow_redirects) == ("json", False)
    assert "s3cret" not in repr(found)


def test_a_proxy() -> None:
    found = settings("""
url: http://l/p
proxy_url: http://u:s3cret@p:3128
no_proxy: foo.com
proxy_connect_header: {X-A: [s3cret, b]}
""")
    proxy = Proxy("http://p:3128", "u", "s3cret")
    assert found.trip.proxies == ProxyRules(
        proxy, proxy, NoProxy.parse("foo.com"), (("X-A", "s3cret"), ("X-A", "b"))
    )
    assert "s3cret" not in repr(found)


def test_a_proxy_of_the_environment() -> None:
    text = "url: http://l/p\nproxy_from_environment: true"
    found = settings(text, HTTPS_PROXY="p:1", NO_PROXY="x")
    assert found.trip.proxies == ProxyRules(
        None, Proxy("http://p:1"), NoProxy.parse("x")
    )


def test_tokens() -> None:
    found = settings("""
url: http://l/p
oauth2:
  client_id: me
  client_secret: s3cret
  scopes: [a, b]
  token_url: https://t/token
  endpoint_params: {audience: loki, grant_type: odd}
  tls_config: {insecure_skip_verify: true, server_name: other}
  proxy_url: http://p
""")
    assert found.oauth2
    assert (found.oauth2.client_id, found.oauth2.client_secret) == ("me", "s3cret")
    assert found.oauth2.token_url == "https://t/token"
    assert dict(found.oauth2.form) == {
        "grant_type": "odd", "scope": "a b", "audience": "loki",
    }  # fmt: skip
    assert found.oauth2.trip.tls
    assert found.oauth2.trip.server_name == "other"
    assert found.oauth2.trip.proxies.https == Proxy("http://p")
    assert found.trip.tls is None, "the section's own, not the client's"
    assert "s3cret" not in repr(found)


def test_limits() -> None:
    config = LimitsConfig(max_streams=3, max_line_size=10, max_line_size_truncate=True)
    assert entry_limits(config) == EntryLimits(3, 10, truncate=True)
    assert entry_limits(LimitsConfig(max_streams=-1)) == EntryLimits()


def test_headers_for_who_cannot_read_them_anew(tmp_path: Path) -> None:
    file = tmp_path / "value"
    file.write_text("c\n")
    text = "http_headers: {X-A: {values: [a, b], files: [%s]}}\nbearer_token: t"
    config = client("url: http://l/p\n" + text % file)
    assert static_headers(config) == {"X-A": "a, b, c", "Authorization": "Bearer t"}
    file.write_text("c\nd")
    with pytest.raises(StartError, match="header X-A: its value must be one line"):
        static_headers(config)
    file.unlink()
    with pytest.raises(StartError, match=r"value: cannot be read: No such file"):
        static_headers(config)
