"""A real nginx that logs where a test wants it to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from tests.programs import program


# Workers must reach the test's folder, which is nobody else's.
USER = "user root;" if os.geteuid() == 0 else ""
CONF = (
    USER
    + """
daemon off; worker_processes {workers}; pid {prefix}/nginx.pid;
error_log {prefix}/error.log notice;
events {{ worker_connections 64; }}
http {{
    client_body_temp_path {prefix}/body; proxy_temp_path {prefix}/proxy;
    fastcgi_temp_path {prefix}/fastcgi; uwsgi_temp_path {prefix}/uwsgi;
    scgi_temp_path {prefix}/scgi;
    large_client_header_buffers 4 256k; keepalive_requests 1000000;
    log_format uri escape=json '{{"request_uri":"$request_uri"}}';
    log_format metrics escape=json '{{"method":"$request_method","status":$status,'
        '"body_bytes_sent":$body_bytes_sent,"request_length":$request_length,'
        '"request_time":$request_time,"host":"$host"}}';
    {http}
    server {{
        listen 127.0.0.1:{port};
        {directives}
        location / {{ return 200 "ok"; }}
        location = /missing {{ return 404; }}
    }}
}}
"""
)


@dataclass(frozen=True)
class LoggingNginx:
    """A running nginx and its files."""

    prefix: Path
    port: int
    process: subprocess.Popen[bytes]

    def get(self, *paths: str) -> None:
        """Ask for *paths*, over one connection."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        for path in paths:
            connection.request("GET", path)
            connection.getresponse().read()
        connection.close()

    def reopen_logs(self) -> None:
        self.process.send_signal(signal.SIGUSR1)

    def stop(self) -> list[str]:
        """Let it serve what it has, then return the lines of its error log."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)
        lines = (self.prefix / "error.log").read_text().splitlines()
        return [line for line in lines if "[notice]" not in line]


@contextmanager
def logging_nginx(
    prefix: Path, *directives: str, workers: int = 1, http: str = ""
) -> Iterator[LoggingNginx]:
    """Run nginx with *directives* in its server and *http* in front of it.

    See `tests.nginx.conftest.real_nginx`.

    It inherits a socket that listens already, so that nothing waits until it is up.
    """
    nginx = program("NGINX", "nginx", "/usr/sbin")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        conf = prefix / "nginx.conf"
        conf.write_text(
            CONF.format(
                prefix=prefix,
                port=port,
                workers=workers,
                http=http,
                directives="\n        ".join(directives),
            )
        )
        process = subprocess.Popen(
            [nginx, "-p", prefix, "-c", conf, "-e", prefix / "error.log"],
            env=os.environ | {"NGINX": f"{listener.fileno()};"},
            pass_fds=(listener.fileno(),),
            stderr=subprocess.DEVNULL,
        )
    try:
        yield LoggingNginx(prefix, port, process)
    finally:
        process.terminate()
        process.wait(30)
