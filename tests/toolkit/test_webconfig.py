from __future__ import annotations

import pytest
import yaml
from hypothesis import given, strategies as st

from exporters.toolkit.decode import DecodeError
from exporters.toolkit.webconfig import Config, check, parse


HASH = "$2b$04$RRopVc2NFGShsL.nActlqOj7Pxe7GbWx3kobgr3mqHXabNWAt3Yhu"


def checked(text: str) -> Config:
    data = text.encode()
    config = parse(data, "web.yml")
    check(config, data, "web.yml")
    return config


def refusal(text: str) -> str:
    with pytest.raises(DecodeError) as caught:
        checked(text)
    return str(caught.value)


def test_everything() -> None:
    config = checked(f"""
tls_server_config:
  cert_file: s.pem
  key: secret key
  client_ca_file: ca.pem
  client_auth_type: RequireAndVerifyClientCert
  client_allowed_sans: [a, b]
  min_version: TLS10
  max_version: TLS12
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]
  prefer_server_cipher_suites: false
  curve_preferences: [CurveP256, X25519]
http_server_config:
  http2: false
  headers:
    X-Frame-Options: sameorigin
    Strict-Transport-Security: max-age=1
rate_limit: {{burst: 3, interval: 1m30s}}
basic_auth_users:
  alice: {HASH}
""")
    tls = config.tls_server_config
    assert tls.enabled
    assert (tls.cert_file, tls.key.reveal()) == ("s.pem", "secret key")
    assert (tls.min_version, tls.max_version) == ("TLS10", "TLS12")
    assert tls.client_allowed_sans == ("a", "b")
    assert config.http_server_config.headers["X-Frame-Options"] == "sameorigin"
    assert config.rate_limit.interval == 90 * 10**9
    assert config.basic_auth_users["alice"].reveal() == HASH
    assert "secret key" not in repr(config)
    assert HASH not in repr(config)


@pytest.mark.parametrize("text", ["", "# nothing\n", "tls_server_config:\n", "{}", "~"])
def test_nothing_is_plain_http(text: str) -> None:
    config = checked(text)
    assert config == Config()
    assert not config.tls_server_config.enabled
    assert config.http_server_config.http2


def test_settings_without_a_certificate_ask_for_no_tls() -> None:
    assert not checked(
        "tls_server_config: {min_version: TLS13}"
    ).tls_server_config.enabled


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [("5", 5), ("1s", 10**9), ("0", 0), ("'1ms'", 10**6), ("-1s", -(10**9))],
)
def test_intervals(text: str, nanoseconds: int) -> None:
    assert (
        checked(f"rate_limit: {{interval: {text}}}").rate_limit.interval == nanoseconds
    )


@pytest.mark.parametrize(
    ("text", "sans"),
    [("", None), ("client_allowed_sans:", None), ("client_allowed_sans: []", ())],
)
def test_an_empty_list_of_names_allows_none(
    text: str, sans: tuple[str, ...] | None
) -> None:
    config = checked(f"tls_server_config:\n  min_version: TLS12\n  {text}\n")
    assert config.tls_server_config.client_allowed_sans == sans


PAIR = "tls_server_config:\n  cert_file: a\n  key_file: b\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bogus: 1", "web.yml:1:1: field bogus not found in Config"),
        (
            "tls_server_config:\n  cert_fil: a",
            (
                "web.yml:2:3: field cert_fil not found in TLSConfig (did you mean"
                " cert_file?)"
            ),
        ),
        (
            "rate_limit: {intervall: 1}",
            (
                "web.yml:1:14: field intervall not found in RateLimiterConfig (did you"
                " mean interval?)"
            ),
        ),
        ("- a", "web.yml:1:1: cannot unmarshal !!seq into Config"),
        ("just text", "web.yml:1:1: cannot unmarshal !!str into Config"),
        (
            "a: [",
            "web.yml:1:5: while parsing a flow node: did not find expected",
        ),
        (
            "tls_server_config:\n  cert_file: a",
            "web.yml:2:3: missing one of key or key_file",
        ),
        (
            "tls_server_config:\n  key: a",
            "web.yml:2:3: missing one of cert or cert_file",
        ),
        (
            f"{PAIR}  client_auth_type: Foo",
            "web.yml:4:21: invalid ClientAuth: Foo",
        ),
        (
            f"{PAIR}  client_ca: x",
            "web.yml:2:3: client CA's have been configured without a Client Auth",
        ),
        (
            f"{PAIR}  client_ca_file: x\n  client_auth_type: NoClientCert",
            "web.yml:2:3: client CA's have been configured without a Client Auth",
        ),
        (
            f"{PAIR}  client_auth_type: RequireClientCert",
            (
                "web.yml:4:21: client_auth_type RequireClientCert: Python's ssl cannot"
                " take a certificate without verifying it; expected"
                " RequireAndVerifyClientCert and client_ca_file"
            ),
        ),
        (
            f"{PAIR}  client_auth_type: RequestClientCert\n  client_allowed_sans: [a]",
            (
                "web.yml:5:24: client_allowed_sans: expected client_auth_type to be one"
                " of VerifyClientCertIfGiven, RequireAndVerifyClientCert"
            ),
        ),
        (
            f"{PAIR}  min_version: TLS13\n  max_version: TLS12",
            "web.yml:4:16: min_version TLS13 is above max_version TLS12",
        ),
        (
            "tls_server_config: {min_version: SSL3}",
            "web.yml:1:34: unknown TLS version: SSL3",
        ),
        (
            "tls_server_config: {cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]}",
            "web.yml:1:37: unknown cipher: TLS_RSA_WITH_AES_128_CBC_SHA",
        ),
        (
            "tls_server_config: {curve_preferences: [secp256k1]}",
            "web.yml:1:41: unknown curve: secp256k1",
        ),
        (
            "http_server_config: {headers: {X-Foo: a}}",
            'web.yml:1:39: HTTP header "X-Foo" can not be configured',
        ),
        (
            "http_server_config: {headers: {x-frame-options: deny}}",
            'web.yml:1:49: HTTP header "x-frame-options" can not be configured',
        ),
        (
            "http_server_config: {headers: {X-Frame-Options: DENY}}",
            (
                "web.yml:1:49: invalid value for X-Frame-Options. Expected one of:"
                ' ["deny" "sameorigin"], but got: "DENY"'
            ),
        ),
        (
            'http_server_config: {headers: {X-XSS-Protection: "a\\r\\nSet-Cookie: b"}}',
            "web.yml:1:50: X-XSS-Protection: expected a value on one line",
        ),
        ("rate_limit: {interval: x}", 'web.yml:1:24: time: invalid duration "x"'),
        (
            "rate_limit: {burst: x}",
            "web.yml:1:21: cannot unmarshal !!str `x` into int",
        ),
        (
            "basic_auth_users: {a: hunter2}",
            (
                "web.yml:1:23: crypto/bcrypt: hashedSecret too short to be a bcrypted"
                " password"
            ),
        ),
        (
            f"basic_auth_users: {{a: x{HASH}}}",
            "web.yml:1:23: crypto/bcrypt: bcrypt hashes must start with '$'",
        ),
        (
            f"basic_auth_users: {{a: {HASH.replace('$2b', '$3b')}}}",
            (
                "web.yml:1:23: crypto/bcrypt: bcrypt algorithm version requested is"
                " newer than current version '2'"
            ),
        ),
        (
            f"basic_auth_users: {{a: {HASH.replace('$04', '$99')}}}",
            (
                "web.yml:1:23: crypto/bcrypt: cost 99 is outside allowed inclusive"
                " range 4..31"
            ),
        ),
        (
            f"basic_auth_users: {{a: {HASH.replace('$04', '$xx')}}}",
            (
                "web.yml:1:23: crypto/bcrypt: expected the cost, two digits, behind the"
                " version"
            ),
        ),
        ("basic_auth_users: [a]", "web.yml:1:19: cannot unmarshal !!seq into map"),
    ],
)
def test_refused(text: str, expected: str) -> None:
    assert refusal(text).startswith(expected)


def test_every_mistake_is_told_at_once() -> None:
    told = refusal("basic_auth_users: {a: b}\ntls_server_config: {client_auth_type: X}")
    assert told.count("\n") == 3


def test_what_upstream_checks_at_its_start_does_not_break_a_running_one() -> None:
    text = b"tls_server_config: {cert: a}\nbasic_auth_users: {a: b}\n"
    assert parse(text, "web.yml").tls_server_config.cert == "a"


@pytest.mark.parametrize(
    "text",
    [
        "tls_server_config:\n  key: [hunter2]\n",
        "tls_server_config:\n  key: !x hunter2\n",
        "basic_auth_users:\n  a: {b: hunter2}\n",
        "basic_auth_users:\n  a: hunter2\n",
        "basic_auth_users: hunter2\n",
    ],
)
def test_no_secret_is_shown(text: str) -> None:
    assert "hunter2" not in refusal(text)


KEYS = st.sampled_from(
    [
        "tls_server_config",
        "http_server_config",
        "rate_limit",
        "basic_auth_users",
        "cert",
        "key",
        "cert_file",
        "key_file",
        "client_ca",
        "client_auth_type",
        "client_allowed_sans",
        "min_version",
        "max_version",
        "cipher_suites",
        "curve_preferences",
        "http2",
        "headers",
        "X-Frame-Options",
        "burst",
        "interval",
        "bogus",
    ]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=70),
    st.sampled_from(
        ["TLS12", "TLS13", "1s", "X25519", "deny", HASH, "RequestClientCert"]
    ),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.one_of(TREES.map(lambda tree: yaml.safe_dump(tree).encode()), st.binary()))
def test_any_file_is_settings_or_one_clear_error(data: bytes) -> None:
    told: tuple[str, ...] = ()
    try:
        check(parse(data, "web.yml"), data, "web.yml")
    except DecodeError as error:
        told = error.errors or ("an error without a text",)
    assert all(line.startswith("web.yml:") and line.isprintable() for line in told)
