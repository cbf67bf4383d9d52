from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from exporters.nginx.tls import client_context
from exporters.toolkit.errors import StartError


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
