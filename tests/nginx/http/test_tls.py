from __future__ import annotations

import datetime as dt
import logging
import os
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

from exporters.nginx.cli import PROGRAM
from exporters.nginx.errors import ScrapeError
from exporters.nginx.http.tls import client_context, context_from
from exporters.toolkit.errors import StartError
from tests.nginx.conftest import Connect, RealNginx, always, fake_nginx, page, response
from tests.programs import program


PATIENCE = 30.0


def _context(
    verify: bool = True, ca: object = "", cert: object = "", key: object = ""
) -> ssl.SSLContext:
    return client_context(
        verify=verify, ca_file=str(ca), cert_file=str(cert), key_file=str(key)
    )


def test_without_verification_anything_is_accepted(certificate: Path) -> None:
    context = _context(verify=False, ca=f"{certificate}.crt")
    assert context.verify_mode == ssl.CERT_NONE
    assert not context.check_hostname


def test_own_authority_replaces_the_systems(certificate: Path) -> None:
    context = _context(ca=f"{certificate}.crt")
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1


def test_client_certificate(certificate: Path) -> None:
    _context(cert=certificate, key=certificate)


def test_half_a_client_certificate_is_ignored_as_upstream_does() -> None:
    _context(cert="/nowhere")
    _context(key="/nowhere")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ((), ""),
        (("--nginx.ssl-verify",), ""),
        (("--nginx.ssl-verify", "--nginx.ssl-ca-cert={ca}"), ""),
        (("--nginx.ssl-ca-cert={ca}",), "has no effect without --nginx.ssl-verify"),
        (("--nginx.ssl-client-cert={ca}",), "no client certificate is used"),
        (("--nginx.ssl-client-key={ca}",), "no client certificate is used"),
    ],
)
def test_what_has_no_effect_is_said(
    argv: tuple[str, ...],
    said: str,
    certificate: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    given = [flag.format(ca=f"{certificate}.crt") for flag in argv]
    with caplog.at_level(logging.WARNING):
        context_from(PROGRAM.parse(given, {}))
    texts = [record.getMessage() for record in caplog.records]
    assert len(texts) == bool(said)
    assert all(said in text for text in texts)


def test_missing_files(tmp_path: Path) -> None:
    none = tmp_path / "none"
    with pytest.raises(StartError) as caught:
        _context(verify=False, ca=none)
    assert str(caught.value) == (
        f"--nginx.ssl-ca-cert {none}: No such file or directory"
    )
    with pytest.raises(StartError) as caught:
        _context(cert=none, key=none)
    assert str(caught.value) == (
        f"--nginx.ssl-client-cert {none}, --nginx.ssl-client-key {none}: "
        "No such file or directory"
    )


@pytest.mark.parametrize("content", [b"", b"junk\n", b"\xff\x00"])
def test_files_that_are_not_pem(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "junk"
    path.write_bytes(content)
    with pytest.raises(StartError, match="expected PEM certificates: "):
        _context(ca=path)
    with pytest.raises(StartError, match="expected a PEM certificate and its key: "):
        _context(cert=path, key=path)


def test_key_with_a_passphrase(certificate: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked.pem"
    command = f"openssl ec -in {certificate} -aes256 -passout pass:x -out {locked}"
    subprocess.run(command.split(), check=True, capture_output=True)
    with pytest.raises(StartError, match="expected a key without a passphrase"):
        _context(cert=f"{certificate}.crt", key=locked)


async def test_a_unix_socket_needs_no_certificate(
    connect: Connect, tmp_path: Path, certificate: Path
) -> None:
    path = tmp_path / "s"
    async with fake_nginx(always(response(page(3))), path=path) as (_, uri):
        client = await connect(uri, _context(ca=f"{certificate}.crt"))
        assert (await client.fetch(PATIENCE)).requests == 3


# --- a real nginx -------------------------------------------------------------

NGINX_CONF = """
daemon off; worker_processes 1; pid {prefix}/nginx.pid;
error_log {prefix}/error.log notice;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {prefix}/body; proxy_temp_path {prefix}/proxy;
    fastcgi_temp_path {prefix}/fastcgi; uwsgi_temp_path {prefix}/uwsgi;
    scgi_temp_path {prefix}/scgi;
    {servers}
}}
"""
SERVER = """
    server {{
        listen 127.0.0.1:{port} ssl; ssl_certificate {prefix}/{name}.pem;
        ssl_certificate_key {prefix}/{name}.key; {more}
        location = /stub_status {{ stub_status; }}
    }}
"""
CLIENTS = "ssl_client_certificate {prefix}/ca.pem; ssl_verify_client on;"


@dataclass(frozen=True)
class Secured:
    """An nginx with a server for each certificate, and the files of its clients."""

    directory: Path
    urls: dict[str, str]

    def file(self, name: str) -> Path:
        return self.directory / name


def _issue(directory: Path) -> None:
    """Write an authority, three servers' certificates and two clients'."""
    authority, stranger = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(directory / "ca.pem")
    stranger.cert_pem.write_to_path(directory / "other-ca.pem")
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    issued = {
        "good": authority.issue_cert("127.0.0.1"),
        "wrong": authority.issue_cert("nginx.example.org"),
        "expired": authority.issue_cert("127.0.0.1", not_after=yesterday),
        "client": authority.issue_cert("exporter"),
        "stranger": stranger.issue_cert("exporter"),
    }
    for name, made in issued.items():
        made.private_key_pem.write_to_path(directory / f"{name}.key")
        pem = b"".join(blob.bytes() for blob in made.cert_chain_pems)
        (directory / f"{name}.pem").write_bytes(pem)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """Run nginx over sockets that listen already; see real_nginx in conftest.py."""
    nginx = program("NGINX", "nginx", "/usr/sbin")
    prefix = tmp_path_factory.mktemp("nginx")
    _issue(prefix)
    wanted = {"good": "", "wrong": "", "expired": "", "clients": CLIENTS}
    sockets = {name: socket.create_server(("127.0.0.1", 0)) for name in wanted}
    ports = {name: sock.getsockname()[1] for name, sock in sockets.items()}
    servers = "".join(
        SERVER.format(
            port=ports[name],
            prefix=prefix,
            name="good" if name == "clients" else name,
            more=more.format(prefix=prefix),
        )
        for name, more in wanted.items()
    )
    conf = prefix / "nginx.conf"
    conf.write_text(NGINX_CONF.format(prefix=prefix, servers=servers))
    numbers = [sock.fileno() for sock in sockets.values()]
    process = subprocess.Popen(
        [nginx, "-p", prefix, "-c", conf, "-e", prefix / "error.log"],
        env=os.environ | {"NGINX": "".join(f"{number};" for number in numbers)},
        pass_fds=numbers,
    )
    for sock in sockets.values():
        sock.close()
    urls = {
        name: f"https://127.0.0.1:{port}/stub_status" for name, port in ports.items()
    }
    try:
        yield Secured(prefix, urls)
    finally:
        process.terminate()
        process.wait(10)


class Case(NamedTuple):
    """Which server is asked with what, and the problem that shows."""

    server: str
    verify: bool
    ca: str
    client: str
    problem: str


@pytest.mark.oracle
@pytest.mark.parametrize(
    "case",
    [
        Case("good", True, "ca", "", ""),
        Case("good", True, "other-ca", "", "certificate verify failed: "),
        Case("good", True, "", "", "certificate verify failed: "),
        Case("good", False, "", "", ""),
        Case("good", False, "other-ca", "", ""),
        Case(
            "wrong", True, "ca", "", "IP address mismatch, certificate is not valid for"
        ),
        Case("wrong", False, "ca", "", ""),
        Case("expired", True, "ca", "", "certificate has expired"),
        Case("expired", False, "", "", ""),
        Case("clients", True, "ca", "client", ""),
        Case("clients", False, "", "client", ""),
        Case("clients", True, "ca", "", "expected 200 response, got 400"),
        Case("clients", True, "ca", "stranger", "expected 200 response, got 400"),
    ],
    ids=str,
)
async def test_real_nginx(secured: Secured, connect: Connect, case: Case) -> None:
    context = _context(
        case.verify,
        secured.file(f"{case.ca}.pem") if case.ca else "",
        secured.file(f"{case.client}.pem") if case.client else "",
        secured.file(f"{case.client}.key") if case.client else "",
    )
    asking = await connect(secured.urls[case.server], context)
    if not case.problem:
        assert (await asking.fetch(PATIENCE)).active >= 1
        return
    with pytest.raises(ScrapeError) as caught:
        await asking.fetch(PATIENCE)
    text = str(caught.value)
    assert case.problem in text
    assert "\n" not in text
    assert "_ssl.c" not in text, "a place in the source of Python tells nobody"


async def test_http_spoken_to_a_port_of_https(
    secured: Secured, connect: Connect
) -> None:
    client = await connect(secured.urls["good"].replace("https:", "http:"))
    with pytest.raises(ScrapeError, match=r"got 400: is this port https://\?$"):
        await client.fetch(PATIENCE)


async def test_https_spoken_to_a_port_of_http(
    real_nginx: RealNginx, connect: Connect
) -> None:
    client = await connect(f"{real_nginx.url.replace('http:', 'https:')}/stub_status")
    with pytest.raises(ScrapeError, match=r"expected TLS, is this port http://\?$"):
        await client.fetch(PATIENCE)
