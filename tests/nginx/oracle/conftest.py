"""One nginx with every kind of door, for all tests of this folder."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.programs import program


# Numbers that do not move, and that show how a large value is written.
FIXED = (
    r"Active connections: 1234567 \nserver accepts handled requests\n"
    r" 21000000 20999999 123456789012 \nReading: 1 Writing: 2 Waiting: 4 \n"
)
CONF = """
daemon off; worker_processes 1; pid {prefix}/nginx.pid;
error_log {prefix}/error.log notice;
events {{ worker_connections 128; }}
http {{
    access_log off;
    client_body_temp_path {prefix}/body; proxy_temp_path {prefix}/proxy;
    fastcgi_temp_path {prefix}/fastcgi; uwsgi_temp_path {prefix}/uwsgi;
    scgi_temp_path {prefix}/scgi;
    ssl_certificate {pem}; ssl_certificate_key {pem};
    server {{
        listen 127.0.0.1:{plain}; listen unix:{prefix}/plain.sock;
        location = /stub_status {{ stub_status; }}
        location = /fixed {{ return 200 "{fixed}"; }}
        location = /moved {{ return 302 /fixed; }}
        location = /html {{ return 200 "<html>hello</html>"; }}
        location = /forbidden {{ return 403; }}
    }}
    server {{
        listen 127.0.0.1:{proxied} proxy_protocol;
        listen unix:{prefix}/proxied.sock proxy_protocol;
        location = /fixed {{ return 200 "{fixed}"; }}
    }}
    server {{
        listen 127.0.0.1:{tls} ssl;
        location = /fixed {{ return 200 "{fixed}"; }}
    }}
    server {{
        listen 127.0.0.1:{mutual} ssl;
        ssl_client_certificate {pem}.crt; ssl_verify_client on;
        location = /fixed {{ return 200 "{fixed}"; }}
    }}
}}
"""
PORTS = ("plain", "proxied", "tls", "mutual")
SOCKETS = ("plain", "proxied")


@dataclass(frozen=True, slots=True)
class Doors:
    """The ports, sockets and the certificate of a running nginx, by name."""

    names: dict[str, object]

    def fill(self, text: str) -> str:
        """Return *text* with the names in braces replaced."""
        return text.format(**self.names)


@pytest.fixture(scope="session")
def doors(
    tmp_path_factory: pytest.TempPathFactory, certificate: Path
) -> Iterator[Doors]:
    """Run a real nginx; nothing listens on the port ``closed``.

    It inherits sockets that listen already (ngx_add_inherited_sockets), so that nothing
    has to wait until it is up.
    """
    nginx = program("NGINX", "nginx", "/usr/sbin")
    prefix = tmp_path_factory.mktemp("nginx")
    names: dict[str, object] = {"prefix": prefix, "pem": certificate}
    with ExitStack() as held:
        listeners = [held.enter_context(socket.socket()) for _ in PORTS]
        for name, listener in zip(PORTS, listeners, strict=True):
            listener.bind(("127.0.0.1", 0))
            names[name] = listener.getsockname()[1]
        closed = held.enter_context(socket.socket())
        closed.bind(("127.0.0.1", 0))  # taken, so that nobody else listens there
        names["closed"] = closed.getsockname()[1]
        for name in SOCKETS:
            listener = held.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(prefix / f"{name}.sock"))
            listeners.append(listener)
        (prefix / "nginx.conf").write_text(CONF.format(**names, fixed=FIXED))
        yield from _run(nginx, prefix, listeners, Doors(names))


def _run(
    nginx: str, prefix: Path, listeners: list[socket.socket], doors: Doors
) -> Iterator[Doors]:
    for listener in listeners:
        listener.listen()
    numbers = [listener.fileno() for listener in listeners]
    conf, log = prefix / "nginx.conf", prefix / "error.log"
    with subprocess.Popen(
        [nginx, "-p", prefix, "-c", conf, "-e", log],
        env=os.environ | {"NGINX": "".join(f"{number};" for number in numbers)},
        pass_fds=numbers,
    ) as process:
        yield doors
        process.terminate()
        process.wait(10)
