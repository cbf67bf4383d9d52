"""``ip("192.168.0.0/16")``: addresses anywhere in a text (Loki pkg/logql/log/ip.go)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Final, TypeAlias

from exporters.toolkit.gotext import quote as go_quote


Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_CANDIDATE: Final = re.compile(
    rb"(?=[0-9].{0,2}\.)(?P<four>[0-9.]+)"
    rb"|(?=::[0-9a-fA-F]|[0-9a-fA-F]{1,4}:)(?P<six>[0-9a-fA-F:.]+)",
    re.DOTALL,
)


def finder(pattern: str) -> Callable[[bytes], bool]:
    """Return what says whether a text holds an address of *pattern*.

    *pattern* is an address, a network, or two addresses joined by ``-``. Raises
    ValueError in Loki's words.
    """
    contains = _contains(pattern)

    def find(text: bytes) -> bool:
        at = 0
        while candidate := _CANDIDATE.search(text, at):
            # Loki reads at least four bytes of an address, and steps over one more.
            if _is_within(candidate[0], contains):
                return True
            at = candidate.end() + 1
        return False

    return find


def _is_within(text: bytes, contains: Callable[[Address], bool]) -> bool:
    try:
        return contains(ipaddress.ip_address(text.decode()))
    except ValueError:
        return False


def _contains(pattern: str) -> Callable[[Address], bool]:
    try:
        if "/" in pattern:
            network = ipaddress.ip_network(pattern, strict=False)
            return network.__contains__
        first, _, last = pattern.partition("-")
        low = ipaddress.ip_address(first)
        high = ipaddress.ip_address(last) if last else low
    except ValueError:
        raise ValueError(f"ip: invalid pattern: {go_quote(pattern)}") from None
    if low.version != high.version or int(low) > int(high):
        raise ValueError(f"ip: invalid pattern: {go_quote(pattern)}")
    version, begin, end = low.version, int(low), int(high)
    return lambda one: one.version == version and begin <= int(one) <= end
