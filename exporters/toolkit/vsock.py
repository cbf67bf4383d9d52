"""Listen for the host of this virtual machine: ``vsock://:9100``.

Upstream counterparts: exporter-toolkit ``tls_config.go``, parseVsockPort, and
mdlayher/vsock.
"""

from __future__ import annotations

import os
import socket
import sys

from .errors import StartError


SCHEME = "vsock://"
_BACKLOG = 128
_MOST = (1 << 32) - 1
# What mdlayher/vsock calls who has these context ids.
_NAMES = {0: "hypervisor", 1: "local", 2: "host", _MOST: "any"}


def parse_port(address: str) -> int:
    """Return the port of *address*, ``vsock://:9100``.

    Raises:
        StartError: with upstream's text, where it has one.
    """
    from urllib.parse import urlsplit  # noqa: PLC0415 - few want it, and it is large

    host = urlsplit(address).netloc
    _, colon, port = host.rpartition(":")
    if not colon:
        raise StartError(f"address {host}: missing port in address")
    if not port.isascii() or not port.isdecimal():
        if not port:
            raise StartError('strconv.ParseUint: parsing "": invalid syntax')
        raise StartError(f'parse "{address}": invalid port ":{port}" after host')
    if int(port) > _MOST:
        text = f'strconv.ParseUint: parsing "{port}": value out of range'
        raise StartError(text)
    return int(port)


def listen(address: str) -> socket.socket:
    """Return a socket that listens on the port of *address*; the caller closes it.

    Raises:
        StartError: the address is none, or the system has no vsock.
    """
    port = parse_port(address)
    if sys.platform != "linux":
        raise StartError(f"listen {address}: expected Linux, which has vsock")
    try:
        sock = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
    except OSError as error:
        raise _refused(address, error) from error
    try:
        sock.bind((socket.VMADDR_CID_ANY, port))
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise _refused(address, error) from error
    return sock


def _refused(address: str, error: OSError) -> StartError:
    reason = os.strerror(error.errno or 0).lower()
    return StartError(f"listen vsock {address}: {reason}")


def format_address(context: int, port: int) -> str:
    """Return where a socket listens, in upstream's way: ``vm(3):9100``."""
    return f"{_NAMES.get(context, 'vm')}({context}):{port}"
