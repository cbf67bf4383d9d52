"""The site with TLS: protocols, redirects, HSTS, HTTP/2, challenges of ACME."""

from __future__ import annotations

import os
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.deploy.nginx.conftest import copy_with, fill
from tests.deploy.nginx.fastcgi import Backend
from tests.deploy.nginx.site import DEPLOY, Site, running


AUTHORITY = trustme.CA()


@pytest.fixture(scope="module")
def secure(nginx: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("tls")
    fill(folder / "html")
    copy_with({}, folder / "etc")
    certify(folder)
    with Backend() as backend, running(nginx, folder, backend, servers="tls") as site:
        yield site


def certify(folder: Path, *names: str) -> None:
    """Write a certificate to where the stack mounts it."""
    made = AUTHORITY.issue_cert("localhost", *names)
    place = folder / "etc/certificates"
    place.mkdir(exist_ok=True)
    (place / "fullchain.pem").write_bytes(made.cert_chain_pems[0].bytes())
    (place / "privkey.pem").write_bytes(made.private_key_pem.bytes())


def browser(*protocols: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def connect(site: Site, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", site.ports["tls"]), 20)
    return context.wrap_socket(plain, server_hostname="localhost")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_protocols(secure: Site, version: ssl.TLSVersion) -> None:
    context = browser()
    context.minimum_version = context.maximum_version = version
    with connect(secure, context) as sock:
        assert sock.version() == version.name.replace("_", ".")
        cipher = sock.cipher()
    assert cipher
    assert re.match("ECDHE-|TLS_", cipher[0])


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_protocols_are_refused(secure: Site, version: ssl.TLSVersion) -> None:
    context = browser()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        connect(secure, context)


@pytest.mark.parametrize("cipher", ["AES256-SHA", "ECDHE-ECDSA-AES128-SHA256", "CBC"])
def test_old_ciphers_are_refused(secure: Site, cipher: str) -> None:
    context = browser()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers({"CBC": "ECDHE-ECDSA-AES256-SHA384"}.get(cipher, cipher))
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        connect(secure, context)


def test_http2_is_offered(secure: Site) -> None:
    with connect(secure, browser("h2", "http/1.1")) as sock:
        assert sock.selected_alpn_protocol() == "h2"
    with connect(secure, browser("http/1.1")) as sock:
        assert sock.selected_alpn_protocol() == "http/1.1"


def test_a_page_over_http2(secure: Site, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(authority)
    url = f"https://localhost:{secure.ports['tls']}/hello/"
    command = ["curl", "-sS", "--http2", "--cacert", str(authority), "-o", "-", "-w"]
    try:
        done = subprocess.run(
            [*command, "|%{http_version}", url],
            check=True,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        pytest.skip("no curl in PATH")
    assert done.stdout == f"php {secure.html}/index.php|2"
    asked = secure.backend.asked[-1]
    assert asked["HTTP_HOST"] == f"localhost:{secure.ports['tls']}"
    assert (asked["HTTPS"], asked["SERVER_PROTOCOL"]) == ("on", "HTTP/2.0")


def test_wordpress_is_told_of_https(secure: Site) -> None:
    answer = secure.ask("/", port="tls", tls=browser())
    assert answer.status == 200
    asked = secure.backend.asked[-1]
    assert (asked["HTTPS"], asked["REQUEST_SCHEME"]) == ("on", "https")


@pytest.mark.parametrize(
    ("host", "hsts"),
    [
        ("shop.example.org", "max-age=31536000"),
        ("shop.example.org:18443", "max-age=31536000"),
        ("localhost:18443", "max-age=0"),
        ("shop.localhost", "max-age=0"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/nope.css", "/wp-config.php"])
def test_hsts(secure: Site, host: str, hsts: str, path: str) -> None:
    answer = secure.ask(path, f"Host: {host}", port="tls", tls=browser())
    assert answer.headers["strict-transport-security"] == hsts
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("port", ["published", "internal"])
@pytest.mark.parametrize(
    ("target", "host", "location"),
    [
        ("/", "localhost:8080", "https://localhost:18443/"),
        ("/a/?b=c", "shop.example.org", "https://shop.example.org:18443/a/?b=c"),
        ("/wp-login.php", "a.example", "https://a.example:18443/wp-login.php"),
        ("/.git/config", "a.example", "https://a.example:18443/.git/config"),
        ("//evil.example/", "a.example", "https://a.example:18443//evil.example/"),
        ("/%0d%0aX: y", "a.example", "https://a.example:18443/%0d%0aX:"),
    ],
)
def test_http_leads_to_https(
    secure: Site, port: str, target: str, host: str, location: str
) -> None:
    answer = secure.ask(target.partition(" ")[0], f"Host: {host}", port=port)
    assert (answer.status, answer.headers["location"]) == (301, location)
    assert "strict-transport-security" not in answer.headers


def test_nothing_else_is_answered_without_tls(secure: Site) -> None:
    before = len(secure.backend.asked)
    for method in ("GET", "POST", "PUT"):
        assert secure.ask("/wp-login.php", method=method).status == 301
    assert len(secure.backend.asked) == before
    assert secure.ask("/healthz").body == "ok\n"
    assert secure.ask("/healthz", port="tls", tls=browser()).body == "ok\n"


def test_http_at_the_port_of_https_leads_there_too(secure: Site) -> None:
    answer = secure.ask("/a", "Host: a.example:18443", port="tls")
    assert answer.status == 301
    assert answer.headers["location"] == "https://a.example:18443/a"


def test_the_status_page_stays_where_it_was(secure: Site) -> None:
    answer = secure.ask("/stub_status", "Host: nginx", port="internal")
    assert answer.body.startswith("Active connections")
    for port, tls in (("published", None), ("tls", browser())):
        answer = secure.ask("/stub_status", "Host: nginx", port=port, tls=tls)
        assert "Active connections" not in answer.body


def test_challenges_of_acme(secure: Site) -> None:
    folder = secure.folder / "acme/.well-known/acme-challenge"
    folder.mkdir(parents=True)
    (folder / "a-token_1").write_text("a-token_1.thumbprint")
    answer = secure.ask("/.well-known/acme-challenge/a-token_1")
    assert (answer.status, answer.body) == (200, "a-token_1.thumbprint")
    assert answer.headers["content-type"] == "text/plain"
    for missing in ("other", "../../../html/index.php", "%2e%2e/x"):
        answer = secure.ask(f"/.well-known/acme-challenge/{missing}")
        assert answer.status in {301, 400, 404}
        assert "source" not in answer.body


def test_a_new_certificate_is_read_at_a_reload(nginx: str, tmp_path: Path) -> None:
    fill(tmp_path / "html")
    copy_with({}, tmp_path / "etc")
    certify(tmp_path)
    # Since 1.27.4 nginx knows a new file by its second: the old one is a day old.
    for path in (tmp_path / "etc/certificates").iterdir():
        os.utime(path, (time.time() - 86_400,) * 2)
    with (
        Backend() as backend,
        running(nginx, tmp_path, backend, servers="tls") as site,
    ):
        before = presented(site)
        certify(tmp_path, "new.example.org")
        assert presented(site) == before
        site.reload()
        assert presented(site) != before


def presented(site: Site) -> bytes | None:
    with connect(site, browser()) as sock:
        return sock.getpeercert(binary_form=True)


@pytest.mark.parametrize(
    ("port", "line"),
    [
        ("443", 'map "" $https_port { default ""; }\n'),
        ("18443", 'map "" $https_port { default ":18443"; }\n'),
    ],
)
def test_start_writes_the_port_down(tmp_path: Path, port: str, line: str) -> None:
    assert run_start(tmp_path, port).returncode == 0
    assert (tmp_path / "https_port.conf").read_text() == line


@pytest.mark.parametrize("port", ["84 43", '"; }', "https"])
def test_start_refuses_what_is_no_port(tmp_path: Path, port: str) -> None:
    done = run_start(tmp_path, port)
    assert done.returncode == 1
    assert done.stderr == f"nginx: HTTPS_PORT={port}: expected a number\n"
    assert not (tmp_path / "https_port.conf").exists()


def run_start(tmp_path: Path, port: str) -> subprocess.CompletedProcess[str]:
    """Run tls/start with an nginx that does nothing, and /tmp elsewhere."""
    (tmp_path / "nginx").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "nginx").chmod(0o755)
    script = (DEPLOY / "nginx/tls/start").read_text().replace("/tmp/", f"{tmp_path}/")
    return subprocess.run(
        ["sh", "-c", script],
        env={"HTTPS_PORT": port, "PATH": f"{tmp_path}:/usr/bin:/bin"},
        check=False,
        capture_output=True,
        text=True,
    )
