from __future__ import annotations

import socket

import pytest
from hypothesis import given, strategies as st

from exporters.node.network import ip_addresses


@pytest.mark.parametrize(
    ("text", "shown", "scope"),
    [
        ("127.0.0.1", "127.0.0.1", "link-local"),
        ("169.254.1.2", "169.254.1.2", "link-local"),
        ("224.0.0.5", "224.0.0.5", "link-local"),
        ("239.1.1.1", "239.1.1.1", ""),
        ("10.0.0.1", "10.0.0.1", "global"),
        ("0.0.0.0", "0.0.0.0", ""),
        ("255.255.255.255", "255.255.255.255", ""),
        ("::1", "::1", "link-local"),
        ("fe80::fc:ff:fe00:1", "fe80::fc:ff:fe00:1", "link-local"),
        ("ff02::1", "ff02::1", "link-local"),
        ("ff01::1", "ff01::1", "interface-local"),
        ("ff05::2", "ff05::2", ""),
        ("::", "::", ""),
        ("fd00::2", "fd00::2", "global"),
        ("::ffff:192.0.2.1", "192.0.2.1", "global"),
        ("::ffff:127.0.0.1", "127.0.0.1", "link-local"),
        ("::192.0.2.1", "::c000:201", "global"),
        ("::1.2.0.0", "::102:0", "global"),
        ("64:ff9b::1.2.3.4", "64:ff9b::102:304", "global"),
        ("fd00:0:0:1::", "fd00:0:0:1::", "global"),
    ],
)
def test_addresses_are_shown_and_classified_as_by_go(
    text: str, shown: str, scope: str
) -> None:
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    packed = socket.inet_pton(family, text)
    assert ip_addresses.text(packed) == shown
    assert ip_addresses.scope(packed) == scope


@given(st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16))
def test_what_is_shown_means_the_same_address(packed: bytes) -> None:
    shown = ip_addresses.text(packed)
    family = socket.AF_INET6 if ":" in shown else socket.AF_INET
    assert packed.endswith(socket.inet_pton(family, shown))


@pytest.mark.parametrize("size", [0, 3, 15, 17])
def test_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="invalid length"):
        ip_addresses.text(bytes(size))
