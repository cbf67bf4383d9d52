"""Addresses: as they are compared, and which of them a ``*`` never stands for."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address


Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Beside loopback, link-local, multicast and reserved ones (which ::/8 is, with the
# addresses that NAT64 makes of IPv4 ones).
_NEVER: tuple[Network, ...] = (
    IPv4Network("0.0.0.0/8"),  # Linux connects 0.0.0.0 to itself
    IPv6Network("2001::/32"),  # Teredo and 6to4: an IPv4 address is inside
    IPv6Network("2002::/16"),
    # Where clouds keep the secrets of a machine, other than 169.254.169.254.
    IPv4Network("100.100.100.200"),  # Alibaba
    IPv4Network("168.63.129.16"),  # Azure
    IPv4Network("192.0.0.192"),  # Oracle
    IPv6Network("fd00:ec2::254"),  # AWS
)


def unmapped(address: Address) -> Address:
    """Return the IPv4 address that *address* stands for (``::ffff:…``), or itself."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def read_address(literal: str) -> Address:
    """Return the address of a resolver's answer, without its zone."""
    return unmapped(ip_address(literal.partition("%")[0]))


def is_special(address: Address) -> bool:
    """Return whether *address* is of this machine, its link or a cloud's metadata.

    A name that many may choose (``*.svc.example``) leads there only by an attack.
    """
    return (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
        or any(address in network for network in _NEVER)
    )
