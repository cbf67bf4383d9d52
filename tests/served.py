"""An application of the toolkit on a port of its own, beside a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from exporters.toolkit.http.application import Application
from exporters.toolkit.http.server import Server


@asynccontextmanager
async def served(app: Application) -> AsyncIterator[str]:
    """Serve *app*; give its URL."""
    async with listening(Server(app.answer)) as port:
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def listening(server: Server) -> AsyncIterator[int]:
    """Listen for *server*; give the port."""
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(server, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        await server.close()
