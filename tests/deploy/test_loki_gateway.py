"""The gateway of deploy/distributed/loki in a real nginx: a tenant is who signs in."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import bcrypt
import pytest

from deploy.stack.settings import DEPLOY
from tests.e2e.stack import wait_until
from tests.process import free_port


pytestmark = pytest.mark.oracle

GATEWAY = DEPLOY / "distributed" / "loki" / "gateway.conf"
PARTS = ("distributor", "querier", "compactor", "query-frontend")
NGINX_CONF = """
daemon off; {user} pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi; access_log off;
    include {folder}/gateway.conf;
}}
"""


@contextmanager
def part(name: str, heard: list[tuple[str, str, str | None]]) -> Iterator[int]:
    """Serve a part of Loki that says who it is; note path, tenant and authorization."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            tenants = ",".join(self.headers.get_all("X-Scope-OrgID", ()))
            heard.append((self.path, tenants, self.headers.get("Authorization")))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(name.encode())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class Gateway:
    """The gateway, and what came through it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.heard: list[tuple[str, str, str | None]] = []

    def asked(
        self,
        path: str,
        user: str = "shop",
        password: str = "sesame",
        body: bytes | None = None,
    ) -> tuple[int, str]:
        """Ask as *user*, who says to be somebody else's tenant."""
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {token}", "X-Scope-OrgID": "victim"}
        url = f"http://127.0.0.1:{self.port}{path}"
        try:
            request = urllib.request.Request(url, body, headers)
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, ""

    def listens(self) -> bool:
        try:
            return self.asked("/healthz") == (200, "ok\n")
        except OSError:
            return False


@pytest.fixture(scope="module")
def gateway(nginx: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    made = Gateway(free_port())
    # crypt of libc verifies $2b$, as htpasswd -B writes it.
    hashed = bcrypt.hashpw(b"sesame", bcrypt.gensalt(4)).decode()
    (folder / "tenants").write_text(f"shop:{hashed}\n")
    text = GATEWAY.read_text().replace("/run/secrets/tenants", f"{folder}/tenants")
    text = text.replace("listen 8080;", f"listen 127.0.0.1:{made.port};")
    with (
        part("distributor", made.heard) as distributor,
        part("querier", made.heard) as querier,
        part("compactor", made.heard) as compactor,
        part("query-frontend", made.heard) as frontend,
    ):
        for name, port in zip(
            PARTS, (distributor, querier, compactor, frontend), strict=True
        ):
            text = text.replace(f" {name}:3100;", f" 127.0.0.1:{port};")
        (folder / "gateway.conf").write_text(text)
        user = "user root;" if os.geteuid() == 0 else ""
        config = NGINX_CONF.format(folder=folder, user=user)
        (folder / "nginx.conf").write_text(config)
        # To nginx the variable NGINX is a list of sockets.
        environment = {k: v for k, v in os.environ.items() if k != "NGINX"}
        with subprocess.Popen(
            [nginx, "-c", folder / "nginx.conf"], env=environment
        ) as process:
            try:
                wait_until(made.listens, "nginx listens", seconds=20)
                yield made
            finally:
                process.terminate()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/loki/api/v1/push", "distributor"),
        ("/otlp/v1/logs", "distributor"),
        ("/loki/api/v1/tail?query=x", "querier"),
        ("/loki/api/v1/query_range?query=x", "query-frontend"),
        ("/loki/api/v1/label/job/values", "query-frontend"),
        ("/config/tenant/v1/limits", "query-frontend"),
        ("/loki/api/v1/delete?query=x", "compactor"),
    ],
)
def test_a_question_goes_to_the_part_that_knows(
    gateway: Gateway, path: str, name: str
) -> None:
    assert gateway.asked(path) == (200, name)
    assert gateway.heard[-1] == (path, "shop", None)


def test_a_push_arrives_whole(gateway: Gateway) -> None:
    assert gateway.asked("/loki/api/v1/push", body=b"x" * 4_000_000)[0] == 200


@pytest.mark.parametrize(
    ("user", "password"), [("shop", "guessed"), ("victim", "sesame"), ("", "")]
)
def test_who_does_not_sign_in_gets_nothing(
    gateway: Gateway, user: str, password: str
) -> None:
    before = len(gateway.heard)
    assert gateway.asked("/loki/api/v1/push", user, password) == (401, "")
    assert len(gateway.heard) == before


@pytest.mark.parametrize(
    "path", ["/config", "/flush", "/ring", "/ingester/shutdown", "/metrics", "/", "/x"]
)
def test_the_parts_own_pages_are_nobodys(gateway: Gateway, path: str) -> None:
    before = len(gateway.heard)
    assert gateway.asked(path) == (404, "")
    assert len(gateway.heard) == before
