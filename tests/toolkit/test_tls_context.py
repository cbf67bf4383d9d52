from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exporters.toolkit.decode import Secret
from exporters.toolkit.errors import StartError
from exporters.toolkit.tls_context import (
    Material,
    limits,
    read_material,
    server_context,
)
from exporters.toolkit.tls_names import CIPHERS, CURVES
from exporters.toolkit.webconfig import TLSConfig

from .certificates import Certificates


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


def handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLObject:
    """Let the two talk in memory; return the server's side."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(to_server, to_client, server_side=True)
    theirs = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    waiting = {ours, theirs}
    for _ in range(10):
        for side in tuple(waiting):
            try:
                side.do_handshake()
                waiting.discard(side)
            except ssl.SSLWantReadError:
                continue
    assert not waiting
    return ours


def context(made: Certificates, **settings: Any) -> ssl.SSLContext:
    config = TLSConfig(cert_file="server.pem", key_file="server.key", **settings)
    return server_context(config, read_material(config, str(made.directory)))


def test_files_are_relative_to_the_directory(made: Certificates) -> None:
    config = TLSConfig(
        cert_file="server.pem", key_file=str(made.directory / "server.key")
    )
    material = read_material(config, str(made.directory))
    assert material.cert == (made.directory / "server.pem").read_bytes()
    assert material.client_ca is None
    assert "PRIVATE" not in repr(material)


def test_text_in_the_file_itself(made: Certificates) -> None:
    read = made.directory.joinpath
    config = TLSConfig(
        cert=read("server.pem").read_text(),
        key=Secret(read("server.key").read_text()),
        client_ca=made.ca.decode(),
        client_auth_type="RequireAndVerifyClientCert",
    )
    server = server_context(config, read_material(config, "/nowhere"))
    side = handshake(server, made.trusting(made.client))
    certificate = side.getpeercert()
    assert certificate
    assert ("DNS", "prometheus.example.org") in certificate["subjectAltName"]


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (
            {"cert_file": "nope.pem", "key_file": "server.key"},
            (
                "failed to read cert_file (nope.pem): open nope.pem: no such file or"
                " directory"
            ),
        ),
        (
            {"cert_file": "ca.pem", "key_file": "nope.key"},
            (
                "failed to read key_file (nope.key): open nope.key: no such file or"
                " directory"
            ),
        ),
        (
            {"cert_file": "ca.pem", "key_file": "server.key", "client_ca_file": "nope"},
            "open nope: no such file or directory",
        ),
        (
            {"cert_file": "a\0b", "key_file": "x"},
            "failed to read cert_file (a\0b): open a\0b: embedded null byte",
        ),
    ],
)
def test_files_that_cannot_be_read(
    made: Certificates,
    settings: dict[str, str],
    text: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(made.directory)
    with pytest.raises(StartError) as caught:
        read_material(TLSConfig(**settings), ".")  # type: ignore[arg-type] # texts
    assert str(caught.value) == text


def pairs(made: Certificates) -> Iterator[tuple[bytes, bytes, str]]:
    cert = (made.directory / "server.pem").read_bytes()
    key = (made.directory / "server.key").read_bytes()
    other = (made.directory / "client.key").read_bytes()
    yield b"", key, "tls: failed to find any PEM data in certificate input"
    yield b"x", key, "tls: failed to find any PEM data in certificate input"
    yield cert, b"x", "tls: failed to find any PEM data in key input"
    yield cert, other, "tls: private key does not match public key"
    yield key, key, "tls: "
    yield cert, cert, "tls: "
    yield cert.replace(b"M", b"!"), key, "tls: "


def test_pairs_that_cannot_be_used(made: Certificates) -> None:
    for cert, key, text in pairs(made):
        with pytest.raises(StartError) as caught:
            server_context(TLSConfig(), Material(cert, key))
        assert str(caught.value).startswith(f"failed to load X509KeyPair: {text}")


def test_an_encrypted_key_asks_nobody(made: Certificates) -> None:
    from cryptography.hazmat.primitives import serialization as s  # noqa: PLC0415

    key = s.load_pem_private_key((made.directory / "server.key").read_bytes(), None)
    locked = key.private_bytes(
        s.Encoding.PEM, s.PrivateFormat.PKCS8, s.BestAvailableEncryption(b"x")
    )
    cert = (made.directory / "server.pem").read_bytes()
    with pytest.raises(StartError, match="failed to load X509KeyPair: tls: "):
        server_context(TLSConfig(), Material(cert, locked))


def test_without_memory_files(
    made: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("os.path.isdir", lambda _: False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    side = handshake(context(made), made.trusting())
    assert side.version() == "TLSv1.3"
    assert list(tmp_path.iterdir()) == []


def client_of(made: Certificates, version: ssl.TLSVersion) -> ssl.SSLContext:
    client = made.trusting()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        client.minimum_version = client.maximum_version = version
    client.set_ciphers("ALL:@SECLEVEL=0")
    return client


OLD, NEW = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.mark.parametrize(
    ("lowest", "highest", "version", "works"),
    [
        ("TLS12", "TLS13", OLD, True),
        ("TLS12", "TLS13", NEW, True),
        ("TLS12", "TLS13", ssl.TLSVersion.TLSv1_1, False),
        ("TLS13", "TLS13", OLD, False),
        ("TLS12", "TLS12", NEW, False),
        ("TLS10", "TLS13", ssl.TLSVersion.TLSv1, True),
        ("TLS11", "TLS13", ssl.TLSVersion.TLSv1_1, True),
        ("TLS11", "TLS13", ssl.TLSVersion.TLSv1, False),
    ],
)
def test_versions(
    made: Certificates, lowest: str, highest: str, version: ssl.TLSVersion, works: bool
) -> None:
    server = context(made, min_version=lowest, max_version=highest)
    client = client_of(made, version)
    if works:
        handshake(server, client)
    else:
        with pytest.raises(ssl.SSLError):
            handshake(server, client)


@pytest.mark.parametrize("name", [name for name in CIPHERS if "ECDSA" in name])
def test_each_cipher_can_be_had_alone(made: Certificates, name: str) -> None:
    server = context(made, cipher_suites=(name,))
    used = handshake(server, client_of(made, OLD)).cipher()
    assert used
    assert used[0] == CIPHERS[name]
    handshake(server, client_of(made, NEW))  # whose ciphers nobody chooses


def test_ciphers_of_tls_1_3_alone_leave_no_other(made: Certificates) -> None:
    server = context(made, cipher_suites=("TLS_AES_128_GCM_SHA256",))
    handshake(server, client_of(made, NEW))
    with pytest.raises(ssl.SSLError):
        handshake(server, client_of(made, OLD))


@pytest.mark.parametrize("name", CURVES)
def test_one_curve(made: Certificates, name: str) -> None:
    server = context(made, curve_preferences=(name,))
    client = made.trusting()
    client.set_ecdh_curve(CURVES[name])
    handshake(server, client)
    other = next(curve for curve in CURVES.values() if curve != CURVES[name])
    client.set_ecdh_curve(other)
    with pytest.raises(ssl.SSLError):
        handshake(server, client)


AUTH = {"client_ca_file": "ca.pem"}
REQUIRED = {**AUTH, "client_auth_type": "RequireAndVerifyClientCert"}
IF_GIVEN = {**AUTH, "client_auth_type": "VerifyClientCertIfGiven"}
REQUESTED = {"client_auth_type": "RequestClientCert"}


@pytest.mark.parametrize(
    ("settings", "client", "works"),
    [
        ({}, None, True),
        ({}, "stranger", True),
        (REQUESTED, None, True),
        (REQUESTED, "stranger", True),
        (IF_GIVEN, None, True),
        (IF_GIVEN, "client", True),
        (IF_GIVEN, "stranger", False),
        (REQUIRED, None, False),
        (REQUIRED, "client", True),
        (REQUIRED, "stranger", False),
    ],
)
def test_client_policies(
    made: Certificates, settings: dict[str, str], client: str | None, works: bool
) -> None:
    server = context(made, **settings)
    theirs = made.trusting(getattr(made, client) if client else None)
    theirs.maximum_version = OLD  # 1.3 has a client finish before it is judged
    if works:
        handshake(server, theirs)
    else:
        with pytest.raises(ssl.SSLError):
            handshake(server, theirs)


def test_what_is_no_certificate_among_the_authorities_is_passed_over(
    made: Certificates,
) -> None:
    broken = made.ca.replace(b"MI", b"!!", 1)
    key = (made.directory / "server.key").read_bytes()
    cert = (made.directory / "server.pem").read_bytes()
    config = TLSConfig(client_auth_type="RequireAndVerifyClientCert")
    material = Material(cert, key, b"text\n" + broken + b"\n" + made.ca)
    handshake(server_context(config, material), made.trusting(made.client))


def test_limits_are_said() -> None:
    config = TLSConfig(curve_preferences=("X25519", "CurveP256"))
    assert [
        "curve_preferences" in text for text in limits(config, Material(b"", b""))
    ] == [True]
    requested = TLSConfig(client_auth_type="RequestClientCert")
    assert "no certificate is asked for" in next(limits(requested, Material(b"", b"")))
    required = TLSConfig(client_auth_type="RequireAndVerifyClientCert")
    assert "found no certificate" in next(limits(required, Material(b"", b"", b"x")))
    assert list(limits(TLSConfig(), Material(b"", b""))) == []
