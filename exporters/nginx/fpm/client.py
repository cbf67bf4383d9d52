"""Ask one pool of php-fpm for its status page, over a connection for each time."""

from __future__ import annotations

import asyncio
import os
import socket

from exporters.nginx.fpm.cgi import Response, parse_response
from exporters.nginx.fpm.errors import FpmError
from exporters.nginx.fpm.fastcgi import Answer, encode_request
from exporters.nginx.fpm.status import PoolStatus, parse_status
from exporters.nginx.fpm.targets import FpmTarget
from exporters.nginx.http.resolver import Lookup
from exporters.nginx.http.sockets import connect_to, connect_unix
from exporters.nginx.stub_status import excerpt


# A child takes about 400 bytes of the page, 4 kB where it serves the longest of
# addresses: room for 2,000 of those.
MAX_PAGE_BYTES = 8 * 1024 * 1024
READ_BYTES = 64 * 1024

# php-fpm compares pm.status_path with SCRIPT_NAME alone. Where that is another path it
# runs SCRIPT_FILENAME, which must be given. So this is never a file: the path may be
# chosen by whoever may ask for a probe.
NO_SCRIPT = "/dev/null/status"

_NOT_CONNECTED = "no connection within {:g}s: is its listen queue full?"
_NO_ANSWER = (
    "no answer within {:g}s: are all children busy? "
    "pm.status_listen (PHP 8.0) is answered all the same"
)


class FpmClient:
    """Ask one pool. Each request has a connection of its own, closed at its end."""

    def __init__(self, target: FpmTarget, resolver: Lookup, software: str) -> None:
        self.target = target
        self._resolver = resolver
        self._request = encode_request(_params(target, software))

    async def fetch(self, timeout_seconds: float) -> PoolStatus:
        """Return what the pool says of itself; raise FpmError when that fails.

        *timeout_seconds* covers everything: name, connection, queue and answer.
        """
        hint = _NOT_CONNECTED
        try:
            async with asyncio.timeout(timeout_seconds):
                with await self._connect(timeout_seconds) as sock:
                    hint = _NO_ANSWER
                    answer = await _exchange(sock, self._request)
        except TimeoutError as error:
            # The kernel's own ETIMEDOUT is a TimeoutError too, and has an errno.
            if error.errno is not None:
                raise FpmError(f"{self._peer()}: {_reason(error)}") from error
            raise FpmError(f"{self._peer()}: {hint.format(timeout_seconds)}") from error
        except (OSError, ValueError) as error:  # ValueError: a name no name can have
            raise FpmError(f"{self._peer()}: {_reason(error)}") from error
        return self._read(answer)

    def _read(self, answer: Answer) -> PoolStatus:
        response = parse_response(bytes(answer.stdout))
        if response.status != 200:
            raise FpmError(self._refusal(response, bytes(answer.stderr)))
        return parse_status(response.body)

    def _refusal(self, response: Response, stderr: bytes) -> str:
        path, status = self.target.path, response.status
        text = f"asked for {path}: expected status 200, got {status}"
        if response.body:
            text += f" {excerpt(response.body.strip())}"
        if stderr:
            text += f" / {stderr.decode('utf-8', 'replace')!a}"
        if status in {403, 404}:
            text += f": does the pool have pm.status_path = {path}?"
        return text

    async def _connect(self, timeout_seconds: float) -> socket.socket:
        if self.target.socket is not None:
            return connect_unix(self.target.socket)
        addresses = await self._resolver.resolve(self.target.host, self.target.port)
        if not addresses:
            raise socket.gaierror(socket.EAI_NODATA, "no address")
        # Each gets its share of the time: the first may lead nowhere.
        share = timeout_seconds / len(addresses)
        for address in addresses[:-1]:
            try:
                async with asyncio.timeout(share):
                    return await connect_to(address)
            except OSError:  # a TimeoutError is one
                continue
        return await connect_to(addresses[-1])

    def _peer(self) -> str:
        if self.target.socket is not None:
            return f"unix socket {self.target.socket}"
        return f"{self.target.host} port {self.target.port}"


def _params(target: FpmTarget, software: str) -> dict[str, str]:
    return {
        "SCRIPT_FILENAME": NO_SCRIPT,
        "SCRIPT_NAME": target.path,
        "QUERY_STRING": target.query,
        "REQUEST_METHOD": "GET",
        "REQUEST_URI": f"{target.path}?{target.query}",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SERVER_SOFTWARE": software,
        "REMOTE_ADDR": "127.0.0.1",
    }


async def _exchange(sock: socket.socket, request: bytes) -> Answer:
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, request)
    answer = Answer(MAX_PAGE_BYTES)
    while not answer.complete:
        if data := await loop.sock_recv(sock, READ_BYTES):
            answer.feed(data)
            # sock_recv() does not wait for what is there already: a flood would keep
            # everyone else, the limit of time too, from their turn.
            await asyncio.sleep(0)
        else:
            answer.end()
    return answer


def _reason(error: Exception) -> str:
    if isinstance(error, BlockingIOError):
        return "its listen queue is full, expected room (listen.backlog of the pool)"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "connection closed: may this address ask (listen.allowed_clients)?"
    # asyncio replaces the kernel's text by "Connect call failed ('::1', 80)".
    if isinstance(error, socket.gaierror):
        return error.strerror or "no such name"
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno)
    return " ".join(str(error).split()) or type(error).__name__
