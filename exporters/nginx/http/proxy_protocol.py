"""Write the header of the PROXY protocol, version 2: addresses in, bytes out.

nginx reads it in front of everything else where it is told ``listen …
proxy_protocol``. Layout: haproxy ``doc/proxy-protocol.txt`` §2.2. The bytes are those
of upstream (exporter.go registerCollector through go-proxyproto ``v2.go``): what a
connection's own two ends are, no TLVs, no checksum.
"""

from __future__ import annotations

import os
import socket
import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

from exporters.toolkit import flags


PROXY_PROTOCOL = flags.boolean(
    "nginx.proxy-protocol",
    "Pass proxy protocol payload to nginx listeners.",
    env="PROXY_PROTOCOL",
)

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
VERSION_2_PROXY = b"\x21"
TCP4, TCP6, UNIX_STREAM = b"\x11", b"\x21", b"\x31"

UNIX_BYTES = 108  # sun_path of Linux; the specification takes it for both ends

# What Go calls the end of a unix connection that has no name: the client's.
UNNAMED = b"@"

Endpoint = tuple[str, int]


def tcp_header(source: Endpoint, destination: Endpoint) -> bytes:
    """Return the header of a TCP connection from *source* to *destination*.

    An endpoint is an address and a port. Two IPv4 addresses, also where they are
    mapped into IPv6, make TCP4. Raises ValueError for what is not an address.
    """
    ends = [_address(host) for host, _ in (source, destination)]
    ports = struct.pack("!HH", source[1], destination[1])
    if all(isinstance(end, IPv4Address) for end in ends):
        return _header(TCP4, b"".join(end.packed for end in ends) + ports)
    return _header(TCP6, b"".join(_as_ipv6(end).packed for end in ends) + ports)


def unix_header(source: bytes, destination: bytes) -> bytes:
    """Return the header of a unix stream connection between two socket paths.

    An empty path is a socket without a name, as a client's is.
    """
    paths = (path or UNNAMED for path in (source, destination))
    block = b"".join(path[:UNIX_BYTES].ljust(UNIX_BYTES, b"\0") for path in paths)
    return _header(UNIX_STREAM, block)


def header_of(sock: socket.socket) -> bytes:
    """Return the header that describes *sock*, which is connected."""
    source, destination = sock.getsockname(), sock.getpeername()
    if sock.family == socket.AF_UNIX:
        return unix_header(_path(source), _path(destination))
    return tcp_header(source[:2], destination[:2])


def _header(family: bytes, block: bytes) -> bytes:
    length = struct.pack("!H", len(block))
    return SIGNATURE + VERSION_2_PROXY + family + length + block


def _address(text: str) -> IPv4Address | IPv6Address:
    address = ip_address(text.partition("%")[0])  # the zone has no place in it
    return getattr(address, "ipv4_mapped", None) or address


def _as_ipv6(address: IPv4Address | IPv6Address) -> IPv6Address:
    if isinstance(address, IPv6Address):
        return address
    return IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed)


def _path(name: str | bytes) -> bytes:
    # An abstract name begins with a zero byte, for which Go writes "@".
    path = os.fsencode(name)
    return UNNAMED + path[1:] if path.startswith(b"\0") else path
