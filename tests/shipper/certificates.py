"""Certificates made by openssl: an authority, a server, clients."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    cert: Path
    key: Path


class Authority:
    """Signs certificates; lives in *folder*."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self.folder = folder
        self.pair = self._request(name, "-x509", f"-subj=/CN={name}")

    def issue(self, name: str) -> Pair:
        """Return a certificate of 127.0.0.1, and of *name* as a client."""
        signed = self._request(name, f"-subj=/CN={name}")
        request = self.folder / f"{name}.csr"
        signed.cert.rename(request)
        names = self.folder / f"{name}.ext"
        names.write_text(f"subjectAltName=IP:127.0.0.1,DNS:{name}\n")
        openssl(
            "x509", "-req", f"-in={request}", f"-out={signed.cert}", "-days=2",
            f"-CA={self.pair.cert}", f"-CAkey={self.pair.key}", "-CAcreateserial",
            f"-extfile={names}",
        )  # fmt: skip
        return signed

    def server_context(self, pair: Pair, *, wants_client: bool) -> ssl.SSLContext:
        """Return what a server presents; it may ask clients for a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.cert, pair.key)
        if wants_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.pair.cert)
        return context

    def _request(self, name: str, *arguments: str) -> Pair:
        pair = Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        openssl(
            "req", "-newkey=ec", "-pkeyopt=ec_paramgen_curve:prime256v1", "-nodes",
            "-days=2", f"-keyout={pair.key}", f"-out={pair.cert}", *arguments,
        )  # fmt: skip
        return pair


def openssl(command: str, *arguments: str) -> None:
    """Run openssl; ``-name=value`` goes as two words."""
    words = [word for item in arguments for word in item.split("=", 1)]
    try:
        subprocess.run(["openssl", command, *words], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no openssl in PATH")
