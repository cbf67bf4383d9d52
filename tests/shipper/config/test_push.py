from __future__ import annotations

import pytest

from exporters.toolkit.decode import DecodeError, decode
from shipper.config.push import PushConfig
from shipper.config.tls import TlsConfig


ALL = b"""
server:
  http_listen_address: 127.0.0.1
  http_listen_port: 3500
  grpc_listen_port: 3600
  http_path_prefix: /in
  http_tls_config:
    cert_file: a
    key_file: b
    client_ca_file: c
    client_auth_type: RequireAndVerifyClientCert
labels: {pushserver: push1}
use_incoming_timestamp: true
"""


def read(text: bytes) -> PushConfig:
    return decode(text, PushConfig, "f")


def test_every_key() -> None:
    warnings: list[str] = []
    config = decode(ALL, PushConfig, "f", warnings)
    assert config.server.listen == "127.0.0.1:3500"
    assert config.server.http_path_prefix == "/in"
    assert config.server.http_tls_config.certificates == TlsConfig(
        cert_file="a", key_file="b", ca_file="c"
    )
    assert config.labels == {"pushserver": "push1"}
    assert config.use_incoming_timestamp
    assert warnings == ["f:5:3: grpc_listen_port: accepted, but has no effect here"]


def test_without_a_port_the_kernel_chooses_as_in_promtail() -> None:
    assert read(b"{}").server.listen == ":0"
    assert read(b"server: {}").server.listen == ":0"


def test_an_authority_that_nobody_asks_for() -> None:
    text = b"{cert_file: a, key_file: b, client_ca_file: c}"
    config = read(b"server: {http_tls_config: " + text + b"}")
    assert config.server.http_tls_config.certificates.ca_file == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"labels: {a.b: c}", 'f:1:15: "a.b" is not a valid label name'),
        (b"server: {http_listen_port: 70000}", "f:1:28: 70000 is not a port"),
        (b"server: {http_tls_config: {cert_file: a}}",
         "f:1:27: cert_file and key_file go together"),
        (b"server: {http_tls_config: {client_auth_type: RequireAnyClientCert}}",
         "f:1:46: RequireAnyClientCert: not supported, use RequireAndVerifyClientCert"),
        (b"server: {http_tls_config: {client_auth_type: RequireAndVerifyClientCert}}",
         "f:1:27: client_auth_type needs cert_file, key_file and client_ca_file"),
        (b"use_incoming_timestamps: true",
         "f:1:1: field use_incoming_timestamps not found in PushConfig"),
    ],
)  # fmt: skip
def test_problems(text: bytes, problem: str) -> None:
    with pytest.raises(DecodeError) as caught:
        read(text)
    assert any(error.startswith(problem) for error in caught.value.errors)
