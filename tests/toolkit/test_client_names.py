from __future__ import annotations

from typing import Any

import pytest

from exporters.toolkit.client_names import is_allowed


CERTIFICATE = {
    "subjectAltName": (
        ("DNS", "prometheus.example.org"),
        ("email", "bob@example.org"),
        ("URI", "spiffe://example.org/prometheus"),
        ("IP Address", "10.0.0.1"),
        ("IP Address", "FE80:0:0:0:0:0:0:1\n"),
        ("IP Address", "no address"),
        ("DirName", "x"),
    )
}


@pytest.mark.parametrize(
    ("certificate", "allowed", "expected"),
    [
        (None, None, True),
        ({}, None, True),
        (None, ["a"], False),
        ({}, ["a"], False),
        (CERTIFICATE, None, True),
        (CERTIFICATE, [], False),
        (CERTIFICATE, ["a"], False),
        (CERTIFICATE, ["a", "prometheus.example.org"], True),
        (CERTIFICATE, ["Prometheus.example.org"], False),
        (CERTIFICATE, ["bob@example.org"], True),
        (CERTIFICATE, ["spiffe://example.org/prometheus"], True),
        (CERTIFICATE, ["10.0.0.1"], True),
        (CERTIFICATE, ["fe80::1"], True),
        (CERTIFICATE, ["no address"], False),
        (CERTIFICATE, ["x"], False),
    ],
)
def test_names(
    certificate: dict[str, Any] | None, allowed: list[str] | None, expected: bool
) -> None:
    assert is_allowed(certificate, allowed) is expected
