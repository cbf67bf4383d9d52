"""A certificate authority of this host's own, where no public one vouches for the site.

Whoever is to trust it imports `ca.pem`; `ca-key.pem` never leaves its folder.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.stack.shell import StackError


CERTIFICATE = "ca.pem"
KEY = "ca-key.pem"
NAME = "monitoring-exporters, made"
YEARS_TEN = timedelta(days=3650)
SERVER_DAYS = timedelta(days=397)  # browsers refuse more
CLOCKS_DIFFER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate that vouches for others, and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def lasts(self) -> bool:
        """Whether it outlives a certificate that it makes today."""
        return self.certificate.not_valid_after_utc > datetime.now(UTC) + SERVER_DAYS

    def issue(self, names: Collection[str]) -> tuple[bytes, bytes]:
        """Return the chain and the key of a server that is called *names*, as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            self._begin_server(key, common_name(min(names)))
            .add_extension(
                x509.SubjectAlternativeName([general_name(name) for name in names]),
                critical=False,
            )
            .sign(self.key, hashes.SHA256())
        )
        return pem(certificate) + pem(self.certificate), pem_key(key)

    def _begin_server(
        self, key: ec.EllipticCurvePrivateKey, name: x509.Name
    ) -> x509.CertificateBuilder:
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(
            self.key.public_key()
        )
        serves = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        none = x509.BasicConstraints(ca=False, path_length=None)
        return (
            begin(key, name, SERVER_DAYS)
            .issuer_name(self.certificate.subject)
            .add_extension(none, critical=True)
            .add_extension(usage(digital_signature=True), critical=True)
            .add_extension(serves, critical=False)
            .add_extension(issuer, critical=False)
        )

    def keep(self, folder: Path) -> None:
        """Write it into *folder*."""
        write(folder / KEY, pem_key(self.key), 0o600)
        write(folder / CERTIFICATE, pem(self.certificate), 0o644)


def made_here(certificate: x509.Certificate) -> bool:
    """Whether an authority of this module vouches for *certificate*."""
    issuers = certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    return any(str(issuer.value).startswith(NAME) for issuer in issuers)


def load(folder: Path) -> Authority | None:
    """Return the authority of *folder*, None where there is none."""
    path, key_path = folder / CERTIFICATE, folder / KEY
    if not path.exists() and not key_path.exists():
        return None
    for one, other in ((path, key_path), (key_path, path)):
        if not one.exists():
            raise StackError(
                f"{one} is missing beside {other.name}: put it back, or remove "
                f"{other.name} to begin with a new authority"
            )
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        key = load_pem_private_key(key_path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise StackError(f"{folder}: {CERTIFICATE}, {KEY}: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise StackError(f"{key_path}: expected a key of an elliptic curve")
    return Authority(certificate, key)


def make() -> Authority:
    """Return a new authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = common_name(f"{NAME} {datetime.now(UTC):%Y-%m-%d %H:%M}")
    certificate = (
        begin(key, name, YEARS_TEN)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def begin(
    key: ec.EllipticCurvePrivateKey, name: x509.Name, life: timedelta
) -> x509.CertificateBuilder:
    """Return what every certificate here begins with."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_DIFFER)
        .not_valid_after(now + life)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
    )


def general_name(name: str) -> x509.GeneralName:
    """Return *name* as a certificate has it: an address, or the name of a host."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def common_name(text: str) -> x509.Name:
    """Return *text*, cut to what the field holds, as the name of a certificate."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def usage(
    *,
    digital_signature: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    """Return what a key may be used for."""
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def pem(certificate: x509.Certificate) -> bytes:
    """Return *certificate* as PEM."""
    return certificate.public_bytes(Encoding.PEM)


def pem_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return *key* as PEM, without a password: a server starts by itself."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def write(path: Path, content: bytes, mode: int) -> None:
    """Write *content* in place: a mount stays with the file that it began with."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(content)
