"""Find out whether a port is free before something is started on it."""

from __future__ import annotations

import socket

from deploy.stack.shell import StackError


def check(address: str, port: str | int, advice: str) -> None:
    """Raise StackError with *advice* when nobody could listen on *port* now."""
    host = address.strip("[]")  # as Compose wants an address of IPv6
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except (OSError, ValueError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise StackError(f"port {port}: {reason}: {advice}") from error
