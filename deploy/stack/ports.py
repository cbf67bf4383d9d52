"""Find out whether a port is free before something is started on it."""

from __future__ import annotations

import socket

from deploy.stack.shell import StackError


def check(address: str, port: str | int, advice: str) -> None:
    """Raise StackError with *advice* when nobody could listen on *port* now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, int(port)))
        except (OSError, ValueError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise StackError(f"port {port}: {reason}: {advice}") from error
