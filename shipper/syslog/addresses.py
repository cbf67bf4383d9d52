"""The address of a sender as promtail's labels show it."""

from __future__ import annotations

import ipaddress
from typing import Any


def ip_of(address: Any) -> str:
    """Return the address part of the socket address *address* as Go prints it.

    IPv4 behind an IPv6 socket is IPv4 again, and there is no zone.
    """
    if not isinstance(address, tuple) or not address:
        return ""
    text = str(address[0]).partition("%")[0]
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return text
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return str(mapped or ip)
