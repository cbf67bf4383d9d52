"""The proxy of the Docker API in a container, and a daemon behind it that notes."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from deploy.stack.settings import DEPLOY
from tests.deploy.hardened import Container, container, options, stand_in
from tests.e2e.stack import wait_until
from tests.process import free_port


CONFIGURATION = DEPLOY / "docker-proxy/haproxy.cfg"


class Daemon(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Notes what arrives, byte by byte, and answers with *script* or a small JSON."""

    daemon_threads = True
    request_queue_size = 300

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), Answer)
        path.chmod(0o666)
        self.heads: list[bytes] = []
        self.script: list[bytes | threading.Event] = []
        self.left = threading.Semaphore(0)
        """Released once for each reader that went away during the script."""
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def end(self) -> None:
        """Stop listening, as a daemon that ends."""
        self.shutdown()
        self.server_close()
        Path(str(self.server_address)).unlink()


class Answer(socketserver.StreamRequestHandler):
    """One connection to the `Daemon`."""

    def handle(self) -> None:
        """Answer request after request."""
        daemon = cast("Daemon", self.server)
        while head := self.head():
            daemon.heads.append(head)
            with suppress(ConnectionError):  # the reader has gone
                if daemon.script:
                    self.play(daemon)
                    return
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    def head(self) -> bytes:
        """Return a request up to its blank line; nothing when there is none."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline()
            if not line:
                return head
            head += line
        return head

    def play(self, daemon: Daemon) -> None:
        """Write the script; at an event wait for it, or for the reader to go."""
        for part in daemon.script:
            if isinstance(part, bytes):
                self.wfile.write(part)
                continue
            while not part.is_set():
                self.connection.settimeout(0.02)
                try:
                    if not self.connection.recv(1):
                        daemon.left.release()
                        return
                except TimeoutError:
                    continue
            self.connection.settimeout(None)


@dataclass(frozen=True)
class Proxy:
    """The proxy in its container, published on a port of the loopback."""

    container: Container
    port: int

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def raw(self, request: bytes) -> bytes:
        """Send *request* and return all that comes until the proxy closes."""
        with self.connect() as connection:
            connection.sendall(request)
            answer = b""
            while data := connection.recv(65536):
                answer += data
            return answer

    def ask(self, target: str, method: str = "GET") -> int:
        """Return the status of the answer."""
        head = (
            f"{method} {target} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"
        )
        return status(self.raw(head.encode()))


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@contextmanager
def proxy(folder: Path | str, *more: str) -> Iterator[Proxy]:
    """Run the proxy as compose.yaml does, with *folder* in the place of /run."""
    port = free_port()
    arguments = [
        *options("docker-proxy"),
        f"--volume={CONFIGURATION}:/usr/local/etc/haproxy/haproxy.cfg:ro",
        f"--volume={folder}:/host/run:ro",
        f"--publish=127.0.0.1:{port}:2375",
        *more,
    ]
    with container(stand_in("haproxy"), *arguments) as one:
        found = Proxy(one, port)
        wait_until(lambda: listens(found), "the proxy listens")
        yield found


def listens(found: Proxy) -> bool:
    """Whether HAProxy itself answers; Docker's forwarder listens before it does."""
    assert found.container.running(), found.container.logs()
    try:
        return b" 403 " in found.raw(b"GET / HTTP/1.0\r\n\r\n")
    except OSError:
        return False
