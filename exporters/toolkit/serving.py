"""Serve an application on sockets until it is told to stop.

Upstream counterpart: exporter-toolkit ``tls_config.go``, ListenAndServe and Serve.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Protocol

from . import sdnotify, unix_socket, whereabouts
from .activation import inherited_sockets
from .http.application import Application
from .http.server import Server
from .listen import format_address, open_listener


if TYPE_CHECKING:  # what only some installations need is memory
    from .protection import Protection

log = logging.getLogger(__name__)


class Backend(Protocol):
    """Makes what serves each connection, and ends them all in order."""

    def __call__(self) -> asyncio.BaseProtocol:
        """Return what serves the next connection."""

    async def close(self) -> None:
        """Give requests that are being served a moment, then close what is left."""


async def serve(
    app: Application,
    listen: Sequence[str],
    stop: asyncio.Event,
    *,
    config_file: str = "",
    systemd_socket: bool = False,
    protect: Callable[[], Awaitable[Protection]] | None = None,
    cancel_when_client_leaves: bool = False,
) -> None:
    """Serve *app* on every address of *listen* until *stop* is set.

    With *systemd_socket*, on the sockets that systemd opened instead. *config_file*
    may ask for TLS, users, headers and a rate limit; *protect* makes them of something
    else than a file. With *cancel_when_client_leaves* a handler ends with the
    connection it works for; not for one that works in threads, which go on.

    The end is orderly: no new connections, then up to 2 x 1.5 s for the requests being
    served, then what is left is closed. systemd is told when all addresses listen.

    Raises:
        StartError: an address cannot be listened on, and none is open then; or the
            file is wrong.
    """
    async with AsyncExitStack() as stack:
        protection = await _protection(config_file, protect)
        if protection is not None:
            stack.callback(protection.close)
            app.wrap(protection.middleware)
        server = Server(app.answer, cancel_when_client_leaves=cancel_when_client_leaves)
        await serve_with(
            server,
            listen,
            stop,
            systemd_socket=systemd_socket,
            protection=protection,
        )


async def serve_with(
    server: Backend,
    listen: Sequence[str],
    stop: asyncio.Event,
    *,
    systemd_socket: bool = False,
    protection: Protection | None = None,
) -> None:
    """Serve what *server* makes; see `serve`. It is closed at the end."""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.close)
        sockets = await _open(listen, systemd_socket, stack)
        accepting = [await _start(server, sock, protection, stack) for sock in sockets]
        _tell(sockets, stack)
        _settle()
        sdnotify.notify("READY=1")
        await _until(stop, [task for task in accepting if task])


async def _protection(
    config_file: str, protect: Callable[[], Awaitable[Protection]] | None
) -> Protection | None:
    if config_file:
        from .protection import Protection  # noqa: PLC0415 -- see above

        return await Protection.start(config_file)
    return await protect() if protect is not None else None


def _tell(sockets: Sequence[socket.socket], stack: AsyncExitStack) -> None:
    """Let the health check find where this program listens; it is Linux's alone."""
    name = whereabouts.program()
    if name and hasattr(os, "memfd_create"):
        stack.callback(os.close, whereabouts.tell(list(map(_address, sockets)), name))


def _address(sock: socket.socket) -> str:
    scheme = unix_socket.SCHEME if sock.family == socket.AF_UNIX else ""
    return scheme + format_address(sock)


def _settle() -> None:
    """Keep what is there by now, modules above all, from being looked through again.

    The collector of garbage went through it every tenth scrape: of the node exporter
    the slowest of 100 took 80 ms, and takes 32 since. Collecting before would take
    13 ms of the start and find 470 objects.
    """
    gc.freeze()


async def _open(
    listen: Sequence[str], systemd_socket: bool, stack: AsyncExitStack
) -> list[socket.socket]:
    if systemd_socket:
        text = "Listening on systemd activated listeners instead of port listeners."
        log.info("%s", text)
        sockets = inherited_sockets(os.environ)
        for sock in sockets:
            stack.enter_context(sock)
        return sockets
    return [stack.enter_context(await open_listener(address)) for address in listen]


async def _start(
    server: Backend,
    sock: socket.socket,
    protection: Protection | None,
    stack: AsyncExitStack,
) -> asyncio.Task[None] | None:
    """Serve on *sock*; return the task that accepts connections if there is one."""
    address = format_address(sock)
    log.info("Listening on", extra={"fields": {"address": address}})
    fields = {"http2": False, "address": address}
    if protection is None or not protection.tls:
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(server, sock=sock)
        stack.callback(listening.close)
        log.info("TLS is disabled.", extra={"fields": fields})
        return None
    task = protection.serve(sock, server)
    stack.push_async_callback(_ended, task)
    log.info("TLS is enabled.", extra={"fields": fields})
    return task


async def _until(stop: asyncio.Event, accepting: Sequence[asyncio.Task[None]]) -> None:
    """Wait for *stop*; raise what ended a task of *accepting* before."""
    waiter = asyncio.ensure_future(stop.wait())
    try:
        done, _ = await asyncio.wait(
            {waiter, *accepting}, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        waiter.cancel()
        await asyncio.wait([waiter])
    for task in done & set(accepting):
        task.result()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
