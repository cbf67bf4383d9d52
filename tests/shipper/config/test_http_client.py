"""The HTTP client keys: every check of prometheus/common, with its place in the file.

The order of the columns of `CASES`: the keys of one client, what is said about them.
"""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit.decode import DecodeError, decode
from shipper.config.http_headers import header_problem, is_header_value
from shipper.config.limits import LimitsConfig
from shipper.config.model import ClientConfig
from shipper.config.scrape import DockerSDConfig
from shipper.config.url import parse_client_url, parse_proxy_url


def client(keys: str) -> ClientConfig:
    return decode(f"url: http://l/\n{keys}\n".encode(), ClientConfig, "c.yaml")


def errors(keys: str) -> tuple[str, ...]:
    with pytest.raises(DecodeError) as caught:
        client(keys)
    return caught.value.errors


OAUTH = "client_id: me, token_url: 'http://t/'"
CASES = [
    # who we are
    (
        "bearer_token: a\nbearer_token_file: b",
        "1:1: at most one of bearer_token & bearer_token_file must be configured",
    ),
    (
        "bearer_token_file: b\nbasic_auth: {}",
        (
            "1:1: at most one of basic_auth, oauth2, bearer_token & bearer_token_file "
            "must be configured"
        ),
    ),
    (
        f"bearer_token_file: b\noauth2: {{{OAUTH}}}",
        (
            "1:1: at most one of basic_auth, oauth2, bearer_token & bearer_token_file "
            "must be configured"
        ),
    ),
    (
        "basic_auth: {username: a, username_file: b}",
        (
            "2:13: at most one of basic_auth username, username_file & username_ref "
            "must be configured"
        ),
    ),
    (
        "basic_auth: {password: a, password_file: b}",
        (
            "2:13: at most one of basic_auth password, password_file & password_ref "
            "must be configured"
        ),
    ),
    (
        "basic_auth: {username_ref: a}",
        (
            "2:14: username_ref: promtail has no secret manager either, use the key "
            "that ends in _file"
        ),
    ),
    (
        "bearer_token: a\nauthorization: {}",
        "1:1: authorization is not compatible with bearer_token & bearer_token_file",
    ),
    (
        "authorization: {credentials: a, credentials_file: b}",
        (
            "2:16: at most one of authorization credentials & credentials_file must be "
            "configured"
        ),
    ),
    (
        "authorization: {type: ' BASIC '}",
        '2:23: authorization type cannot be set to "basic", use "basic_auth" instead',
    ),
    (
        'authorization: {credentials: "a\\nb"}',
        "2:16: a header value must be one line of text",
    ),
    (
        "authorization: {}\nbasic_auth: {}",
        "1:1: at most one of basic_auth, oauth2 & authorization must be configured",
    ),
    (
        f"authorization: {{}}\noauth2: {{{OAUTH}}}",
        "1:1: at most one of basic_auth, oauth2 & authorization must be configured",
    ),
    (
        f"basic_auth: {{}}\noauth2: {{{OAUTH}}}",
        "1:1: at most one of basic_auth, oauth2 & authorization must be configured",
    ),
    ("oauth2: {token_url: 'http://t/'}", "2:9: oauth2 client_id must be configured"),
    ("oauth2: {client_id: me}", "2:9: oauth2 token_url must be configured"),
    (
        "oauth2: {client_id: me, token_url: 't/'}",
        "2:36: not a URL, expected http://host:port/path",
    ),
    (
        f"oauth2: {{{OAUTH}, client_secret: a, client_secret_file: b}}",
        (
            "2:9: at most one of oauth2 client_secret, client_secret_file & "
            "client_secret_ref must be configured"
        ),
    ),
    (
        f"oauth2: {{{OAUTH}, scopes: [a], endpoint_params: {{scope: b}}}}",
        '2:87: oauth2: cannot overwrite parameter "scope"',
    ),
    (
        f"oauth2: {{{OAUTH}, no_proxy: a}}",
        "2:59: if no_proxy is configured, proxy_url must also be configured",
    ),
    (
        f"oauth2: {{{OAUTH}, tls_config: {{cert: a}}}}",
        (
            "2:61: exactly one of key or key_file must be configured when a client "
            "certificate is configured"
        ),
    ),
    # proxies
    (
        "no_proxy: a",
        "2:11: if no_proxy is configured, proxy_url must also be configured",
    ),
    (
        "proxy_url: http://p/\nproxy_from_environment: true",
        (
            "2:12: if proxy_from_environment is configured, proxy_url must not be "
            "configured"
        ),
    ),
    (
        "no_proxy: a\nproxy_from_environment: true",
        (
            "2:11: if proxy_from_environment is configured, no_proxy must not be "
            "configured"
        ),
    ),
    (
        "proxy_connect_header: {X: [a]}",
        (
            "2:23: if proxy_connect_header is configured, proxy_url or "
            "proxy_from_environment must also be configured"
        ),
    ),
    (
        "proxy_url: ''\nproxy_connect_header: {X: [a]}",
        (
            "3:23: if proxy_connect_header is configured, proxy_url or "
            "proxy_from_environment must also be configured"
        ),
    ),
    (
        "proxy_url: p:1\nproxy_connect_header: {'X Y': [a]}",
        '3:31: "X…" is not a valid header name',
    ),
    (
        "proxy_url: socks5://p:1080",
        (
            "2:12: SOCKS proxies are not supported, expected http://host:port or "
            "https://host:port"
        ),
    ),
    (
        "proxy_url: ftp://p",
        "2:12: not a proxy, expected http://host:port or https://host:port",
    ),
    # headers
    (
        "http_headers: {content-TYPE: {values: [a]}}",
        '2:30: setting header "Content-Type" is not allowed',
    ),
    (
        "http_headers: {authorization: {secrets: [a]}}",
        '2:31: setting header "Authorization" is not allowed',
    ),
    (
        'http_headers: {X: {secrets: ["a\\nb"]}}',
        "2:19: a header value must be one line of text",
    ),
    (
        "http_headers: {'X:': {values: [a]}}",
        '2:22: "X…" is not a valid header name',
    ),
    ("http_headers: {X: {value: [a]}}", "2:20: field value not found in HttpHeader"),
    ('headers: {X: "a\\rb"}', "2:14: X: a header value must be one line of text"),
    (
        'tenant_id: "a\\nb"',
        "2:12: tenant_id: a header value must be one line of text",
    ),
    # TLS
    (
        "tls_config: {ca: a, ca_file: b}",
        "2:13: at most one of ca, ca_file & ca_ref must be configured",
    ),
    (
        "tls_config: {cert: a, cert_file: b, key: c}",
        "2:13: at most one of cert, cert_file & cert_ref must be configured",
    ),
    (
        "tls_config: {cert: a, key: b, key_file: c}",
        "2:13: at most one of key and key_file must be configured",
    ),
    (
        "tls_config: {key_file: a}",
        (
            "2:13: exactly one of cert or cert_file must be configured when a client "
            "key is configured"
        ),
    ),
    (
        "tls_config: {min_version: TLS13, max_version: TLS12}",
        (
            "2:47: tls_config.max_version must be greater than or equal to "
            "tls_config.min_version if both are specified"
        ),
    ),
    (
        "tls_config: {max_version: TLS11}",
        (
            "2:27: max_version is below TLS12, which min_version is when it is not "
            "given: give both"
        ),
    ),
    (
        "tls_config: {min_version: TLS9}",
        '2:27: expected one of "", TLS10, TLS11, TLS12, TLS13',
    ),
    ("push_encoding: xml", "2:16: expected one of protobuf, json"),
]


@pytest.mark.parametrize(("keys", "text"), CASES)
def test_checks(keys: str, text: str) -> None:
    assert f"c.yaml:{text}" in errors(keys)[0], errors(keys)


@pytest.mark.parametrize(
    "keys",
    [
        "proxy_url: ''\nno_proxy: a",
        "proxy_url: http://p:1\nno_proxy: a\nproxy_connect_header: {X: [a, b], Y: []}",
        "proxy_from_environment: true\nproxy_connect_header: {X: [a]}",
        "proxy_from_environment: true\nproxy_url: ''",
        "proxy_url:",
        "http_headers: {X-Scope-OrgID: {values: [a], secrets: [b], files: [c]}}",
        "http_headers: {X: }",
        f"oauth2: {{{OAUTH}, endpoint_params: {{grant_type: password, a: b}}}}",
        "oauth2:",
        "enable_http2: false\nfollow_redirects: false",
        "tls_config: {min_version: TLS10, max_version: TLS11}",
        "push_encoding: json",
    ],
)
def test_accepted(keys: str) -> None:
    client(keys)


def test_secrets_do_not_show_and_still_tell_clients_apart() -> None:
    keys = (
        "oauth2: {client_id: me, client_secret: %s, token_url: 'http://a:hidden@t/'}\n"
        "proxy_url: http://u:hidden@p:1\n"
        "proxy_connect_header: {X: [hidden]}\n"
        "http_headers: {X: {secrets: [hidden]}}\n"
    )
    first, second = client(keys % "hidden1"), client(keys % "hidden2")
    assert "hidden" not in repr(first)
    assert first.label != second.label
    assert first.label == client(keys % "hidden1").label


@pytest.mark.parametrize(
    ("text", "shown", "login"),
    [
        ("http://p:3128", "http://p:3128", ("", "")),
        ("p:3128", "http://p:3128", ("", "")),
        ("p", "http://p", ("", "")),
        ("https://u:p%40ss@p/", "https://p/", ("u", "p@ss")),
        ("", "", ("", "")),
    ],
)
def test_proxies(text: str, shown: str, login: tuple[str, str]) -> None:
    url = parse_proxy_url(text)
    assert (url.text, (url.username, url.password.reveal())) == (shown, login)


@given(st.text())
def test_no_text_is_a_traceback_and_none_shows_a_password(text: str) -> None:
    for parse in (parse_proxy_url, parse_client_url):
        try:
            parse(f"http://user:hunter2@{text}")
        except ValueError as error:
            assert "hunter2" not in str(error)  # noqa: PT017 - it may also pass


def limits(text: str) -> LimitsConfig:
    return decode(text.encode(), LimitsConfig, "c.yaml")


def test_limits_as_promtail_has_them() -> None:
    assert limits("") == LimitsConfig()
    assert limits("max_line_size: 256kb\nmax_line_size_truncate: true") == LimitsConfig(
        max_line_size=262144, max_line_size_truncate=True
    )
    every = "readline_rate: 1.5\nreadline_burst: 2\nreadline_rate_enabled: true\n"
    assert limits(every + "readline_rate_drop: false\nmax_streams: 3") == LimitsConfig(
        readline_rate=1.5,
        readline_burst=2,
        readline_rate_enabled=True,
        readline_rate_drop=False,
        max_streams=3,
    )


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("max_line_size: 1.5kb", '1:16: datasize.UnmarshalText: parsing "1.5KB": inv'),
        (
            "readline_rate_enabled: true\nreadline_rate: .nan",
            "2:16: readline_rate must be greater than 0: no line would ever pass",
        ),
        (
            "readline_rate_enabled: true\nreadline_burst: 0",
            "2:17: readline_burst must be greater than 0",
        ),
    ],
)
def test_limits_that_are_wrong(text: str, error: str) -> None:
    with pytest.raises(DecodeError) as caught:
        limits(text)
    assert caught.value.errors[0].startswith(f"c.yaml:{error}")


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        ("X-A", "b", True), ("X-A", "größe\t!", True), ("X-A", "", True),
        ("X A", "b", False), ("", "b", False), ("X:", "b", False), ("ü", "b", False),
        ("X-A", "a\nb", False), ("X-A", "\x7f", False), ("X-A", "\udc80", False),
    ],
)  # fmt: skip
def test_header_problem(name: str, value: str, fits: bool) -> None:
    assert (header_problem(name, (value,)) is None) == fits


@given(st.text())
def test_a_value_that_fits_can_be_encoded(text: str) -> None:
    if is_header_value(text):
        assert b"\n" not in text.encode()


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        (f"oauth2: {{{OAUTH}}}", "oauth2"),
        ("proxy_url: p:1", "proxy_url"),
        ("proxy_from_environment: true", "proxy_from_environment"),
    ],
)
def test_what_a_docker_host_cannot_do_yet_is_said(keys: str, key: str) -> None:
    text = f"host: http://docker:2375\n{keys}\n"
    with pytest.raises(DecodeError) as caught:
        decode(text.encode(), DockerSDConfig, "c.yaml")
    (error,) = caught.value.errors
    assert error.endswith(f"{key}: known to promtail, not supported by this version")
