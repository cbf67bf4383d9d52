"""Certificates made while the tests run, by trustme."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

import trustme


SAN: Final = "prometheus.example.org"


class Certificates:
    """An authority, a server and clients; files in *directory*."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.authority = trustme.CA()
        self.ca = self.authority.cert_pem.bytes()
        self.server = self.issue("server", "localhost", "127.0.0.1")
        (directory / "ca.pem").write_bytes(self.ca)
        self.client = self.issue("client", SAN, "::1", "bob@example.org")
        self.other = self.issue("other", "other.example.org")
        self.stranger = self.issue("stranger", SAN, authority=trustme.CA())

    def issue(
        self, name: str, *identities: str, authority: trustme.CA | None = None
    ) -> Path:
        """Write *name*.pem and *name*.key and return a file that holds both."""
        made = (authority or self.authority).issue_cert(*identities)
        path = self.directory / f"{name}.both.pem"
        made.private_key_and_cert_chain_pem.write_to_path(path)
        made.private_key_pem.write_to_path(self.directory / f"{name}.key")
        pem = b"".join(blob.bytes() for blob in made.cert_chain_pems)
        (self.directory / f"{name}.pem").write_bytes(pem)
        return path

    def trusting(self, client: Path | None = None) -> ssl.SSLContext:
        """Return a client's context that trusts the server and shows *client*."""
        context = ssl.create_default_context(cadata=self.ca.decode())
        if client is not None:
            context.load_cert_chain(client)
        return context
