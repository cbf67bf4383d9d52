from __future__ import annotations

from ipaddress import ip_address

import pytest

from exporters.nginx.probe.addresses import is_special, read_address


@pytest.mark.parametrize(
    ("literal", "special"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("0.0.0.0", True),
        ("0.1.2.3", True),
        ("169.254.169.254", True),
        ("100.100.100.200", True),
        ("168.63.129.16", True),
        ("192.0.0.192", True),
        ("224.0.0.1", True),
        ("255.255.255.255", True),
        ("::1", True),
        ("::", True),
        ("::127.0.0.1", True),
        ("::ffff:127.0.0.1", True),
        ("64:ff9b::a9fe:a9fe", True),
        ("2002:7f00:1::", True),
        ("fe80::1", True),
        ("ff02::1", True),
        ("fd00:ec2::254", True),
        ("10.0.0.1", False),
        ("172.17.0.2", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("93.184.216.34", False),
        ("fd00::1", False),
        ("2a00:1450::1", False),
    ],
)
def test_special(literal: str, special: bool) -> None:
    assert is_special(read_address(literal)) is special


def test_of_a_resolver() -> None:
    assert read_address("fe80::1%2") == ip_address("fe80::1")
    assert read_address("::ffff:10.0.0.1") == ip_address("10.0.0.1")
