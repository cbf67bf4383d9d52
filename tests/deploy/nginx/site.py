"""The site's configuration in a folder of its own, and a real nginx that runs it."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.deploy.nginx.fastcgi import Backend


DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
NAMES = ("internal", "published", "tls")
# As in the images; an unpacked nginx has no list of its own.
MIME_TYPES = """types {
    text/html html; text/css css; text/plain txt; application/javascript js;
    image/jpeg jpg; image/svg+xml svg;
}
"""
PLACES = {
    "/var/www/html": "html",
    "/var/www/acme": "acme",
    "/var/cache/nginx": "cache",
    "/run/nginx-exporter": "run",
    "/tmp": "run",
}
LISTEN = {"internal": "80", "published": "8080", "tls": "8443"}


@dataclass(frozen=True)
class Answer:
    """What a visitor got."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Site:
    """A running nginx, where it listens, and the backend that it asks."""

    folder: Path
    ports: Mapping[str, int]
    backend: Backend
    process: subprocess.Popen[bytes]

    @property
    def html(self) -> Path:
        return self.folder / "html"

    def ask(
        self,
        target: str | bytes,
        *headers: str,
        method: str = "GET",
        port: str = "published",
        body: bytes = b"",
        tls: ssl.SSLContext | None = None,
    ) -> Answer:
        """Send one request with *target* as it is written here."""
        raw = target.encode() if isinstance(target, str) else target
        lines = list(headers)
        if not any(line.lower().startswith("host:") for line in lines):
            lines.append(f"Host: localhost:{self.ports[port]}")
        if body:
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join(["", *lines, "Connection: close", "", ""])
        request = method.encode() + b" " + raw + b" HTTP/1.1"
        request += head.encode("utf-8", "surrogateescape") + body
        return self.send(request, method=method, port=port, tls=tls)

    def send(
        self,
        request: bytes,
        *,
        method: str = "GET",
        port: str = "published",
        tls: ssl.SSLContext | None = None,
    ) -> Answer:
        """Send the bytes of one request."""
        with socket.create_connection(("127.0.0.1", self.ports[port]), 20) as plain:
            sock = tls.wrap_socket(plain, server_hostname="localhost") if tls else plain
            sock.sendall(request)
            answer = http.client.HTTPResponse(sock, method=method)
            answer.begin()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            text = answer.read().decode("latin-1")
            if tls:
                sock.close()
            return Answer(answer.status, headers, text)

    def stop(self) -> None:
        """Stop nginx after its last request; its logs are whole then."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(20)

    def trust(self, proxy: str) -> None:
        """Name *proxy* as the documentation says, and read the configuration anew."""
        path = self.folder / "etc/http/proxy.conf"
        text = path.read_text().replace("# set_real_ip_from", "set_real_ip_from")
        path.write_text(text.replace("# 172.30", "172.30").replace("172.30.0.1", proxy))
        self.reload()

    def reload(self) -> None:
        """Let nginx read its configuration anew; return when it answers by it.

        Old workers say goodbye to the connection that is kept open meanwhile.
        """
        address = ("127.0.0.1", self.ports["published"])
        with socket.create_connection(address, 20) as idle:
            idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            assert idle.recv(65_536)
            self.process.send_signal(signal.SIGHUP)
            while idle.recv(65_536):
                pass

    def log(self) -> list[dict[str, Any]]:
        """Stop nginx and return the lines of its access log."""
        self.stop()
        # As Docker writes them down: what is no UTF-8 is replaced.
        text = (self.folder / "stdout").read_text(errors="replace")
        return [json.loads(line) for line in text.splitlines()]

    def errors(self) -> str:
        """Return what nginx wrote to stderr so far."""
        return (self.folder / "stderr").read_text(errors="replace")


@contextmanager
def running(
    nginx: str, folder: Path, backend: Backend, *, servers: str = "conf.d"
) -> Iterator[Site]:
    """Run nginx in front of *backend*."""
    with started(nginx, folder, backend.address, servers=servers) as (ports, process):
        yield Site(folder, ports, backend, process)


@contextmanager
def started(
    nginx: str, folder: Path, wordpress: str, *, servers: str = "conf.d"
) -> Iterator[tuple[dict[str, int], subprocess.Popen[bytes]]]:
    """Run nginx in front of the php-fpm at *wordpress*; yield its ports and process.

    nginx inherits sockets that listen already, as in a binary upgrade, so that nothing
    has to wait until it is up.
    """
    names = NAMES if servers == "tls" else NAMES[:2]
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in names
        ]
        for sock in sockets:
            # As nginx makes its own: several workers wait for one connection.
            sock.setblocking(False)
        numbers = [sock.getsockname()[1] for sock in sockets]
        ports = dict(zip(names, numbers, strict=True))
        lay_out(nginx, folder, wordpress, servers, ports)
        process = start(nginx, folder, [sock.fileno() for sock in sockets])
    try:
        yield ports, process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGQUIT)
            process.wait(20)


def start(nginx: str, folder: Path, numbers: list[int]) -> subprocess.Popen[bytes]:
    """Start nginx as a container does, logs on its standard streams."""
    with (
        (folder / "stdout").open("ab") as out,
        (folder / "stderr").open("ab") as err,
    ):
        return subprocess.Popen(
            [*command(nginx, folder), "-g", "daemon off;"],
            env=os.environ | {"NGINX": "".join(f"{number};" for number in numbers)},
            pass_fds=numbers,
            stdout=out,
            stderr=err,
        )


def command(nginx: str, folder: Path) -> list[str]:
    return [
        nginx,
        "-p",
        str(folder),
        "-c",
        str(folder / "etc/nginx.conf"),
        "-e",
        "stderr",
    ]


def lay_out(
    nginx: str,
    folder: Path,
    wordpress: str,
    servers: str,
    ports: Mapping[str, int],
) -> None:
    """Copy the configuration to *folder*/etc, with this folder's paths and ports."""
    etc = folder / "etc"
    if not etc.exists():
        shutil.copytree(DEPLOY / "nginx", etc)
    for name in ("html", "run", "cache", "acme"):
        (folder / name).mkdir(exist_ok=True)
    if servers != "conf.d":
        shutil.rmtree(etc / "conf.d")
        (etc / servers).rename(etc / "conf.d")
    shutil.copy(DEPLOY / "debian/nginx/fastcgi_params", etc)
    (etc / "mime.types").write_text(MIME_TYPES)
    (folder / "run/https_port.conf").write_text(
        'map "" $https_port { default :18443; }\n'
    )
    for path in etc.rglob("*.conf"):
        path.write_text(adapt(path.read_text(), folder, wordpress, ports))
    conf = etc / "nginx.conf"
    if os.getuid() == 0:  # the workers must be let into a folder of the tests
        conf.write_text("user root;\n" + conf.read_text())
    if version(nginx) < (1, 25, 1):
        old_http2(etc / "conf.d/site.conf")


def adapt(text: str, folder: Path, wordpress: str, ports: Mapping[str, int]) -> str:
    """Return a configuration's *text* with the paths and ports of a test."""
    pattern = rf"(?<![\w.])({'|'.join(map(re.escape, PLACES))})\b"
    text = re.sub(pattern, lambda found: f"{folder}/{PLACES[found[1]]}", text)
    text = text.replace("wordpress:9000", wordpress)
    for name, port in ports.items():
        text = re.sub(rf"listen {LISTEN[name]}\b", f"listen 127.0.0.1:{port}", text)
    return text


def old_http2(path: Path) -> None:
    """Say http2 as nginx did before 1.25.1."""
    text = path.read_text().replace("    http2 on;\n", "")
    path.write_text(text.replace(" ssl default_server", " ssl http2 default_server"))


def version(nginx: str) -> tuple[int, ...]:
    """Return the version of *nginx*."""
    text = subprocess.run([nginx, "-v"], check=True, capture_output=True).stderr
    found = re.search(rb"nginx/([0-9.]+)", text)
    assert found, text
    return tuple(map(int, found[1].split(b".")))
