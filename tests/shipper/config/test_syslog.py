from __future__ import annotations

import pytest

from exporters.toolkit.decode import DecodeError, decode
from shipper.config.syslog import SyslogConfig


ALL = b"""
listen_address: 0.0.0.0:1514
listen_protocol: tcp
idle_timeout: 60s
label_structured_data: yes
labels: {job: syslog, __x: y}
use_incoming_timestamp: true
use_rfc5424_message: true
syslog_format: rfc3164
max_message_length: 1000
tls_config: {cert_file: a, key_file: b, ca_file: c}
"""


def read(text: bytes) -> SyslogConfig:
    return decode(text, SyslogConfig, "f")


def problems(text: bytes) -> tuple[str, ...]:
    with pytest.raises(DecodeError) as caught:
        read(text)
    return caught.value.errors


def test_every_key() -> None:
    config = read(ALL)
    assert config.listen_address == "0.0.0.0:1514"
    assert (config.protocol, config.syslog_format) == ("tcp", "rfc3164")
    assert (config.idle_seconds, config.message_bytes) == (60, 1000)
    assert config.label_structured_data
    assert config.labels == {"job": "syslog", "__x": "y"}
    assert config.use_incoming_timestamp
    assert config.use_rfc5424_message
    assert config.tls_config.ca_file == "c"


@pytest.mark.parametrize(
    "more",
    [
        b"",
        b"listen_protocol: ''\nsyslog_format: ''\nidle_timeout: 0\n",
        b"listen_protocol:\nsyslog_format:\nmax_message_length: 0\n",
    ],
)
def test_defaults(more: bytes) -> None:
    config = read(b"listen_address: :514\n" + more)
    assert (config.protocol, config.syslog_format) == ("tcp", "rfc5424")
    assert (config.idle_seconds, config.message_bytes) == (120, 8192)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"{}", "f:1:1: listen_address missing: where to listen, as :1514"),
        (b"listen_address: host",
         "f:1:17: listen_address: listen tcp: address host: missing port in address"),
        (b"listen_address: :0\nlisten_protocol: sctp",
         "f:2:18: invalid transport protocol. expected 'tcp' or 'udp', got 'sctp'"),
        (b"listen_address: :0\nsyslog_format: rfc1",
         "f:2:16: invalid syslog_format. expected 'rfc5424' or 'rfc3164', got 'rfc1'"),
        (b"listen_address: :0\nlabels: {a.b: c}",
         'f:2:15: "a.b" is not a valid label name'),
        (b"listen_address: :0\nidle_timeout: -1s",
         "f:2:15: idle_timeout must not be negative"),
        (b"listen_address: :0\nmax_message_length: -1",
         "f:2:21: max_message_length must not be negative"),
        (b"listen_address: :0\ntls_config: {ca_file: x}",
         "f:2:13: certificate and key files are required"),
        (b"listen_address: :0\nlisten_protocol: udp\ntls_config: {ca_file: x}",
         "f:3:13: tls_config needs listen_protocol: tcp"),
        (b"listen_address: :0\nlisten_adress: x",
         "f:2:1: field listen_adress not found in SyslogConfig (did you mean "),
    ],
)  # fmt: skip
def test_problems(text: bytes, problem: str) -> None:
    assert any(found.startswith(problem) for found in problems(text))
