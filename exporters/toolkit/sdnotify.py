"""Tell systemd how the service is doing (sd_notify(3))."""

from __future__ import annotations

import os
import socket


def notify(state: str) -> None:
    """Send *state* (``READY=1``) to NOTIFY_SOCKET; do nothing where there is none."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address[:1] not in {"/", "@"}:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]  # the abstract namespace, unix(7)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
        datagrams.setblocking(False)
        try:
            datagrams.sendto(state.encode(), address)
        except OSError:
            return  # systemd went away, or its queue is full: nothing to be done
