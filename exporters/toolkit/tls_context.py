"""Make the TLS context of a server from its settings and the bytes of its files.

Upstream counterpart: exporter-toolkit ``tls_config.go``, ConfigToTLSConfig. Python's
ssl reads certificates from files only, so they go through one that is never on disk.
"""

from __future__ import annotations

import contextlib
import os
import re
import ssl
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from .errors import StartError
from .tls_names import ASKS_WITHOUT_NEED, CIPHERS, CIPHERS_1_3, CURVES, VERIFIES
from .webconfig import TLSConfig


_PEM: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL
)
_PEM_ANY: Final = re.compile(rb"-----BEGIN [A-Z0-9 ]+-----")
_VERSIONS: Final = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}
_MISMATCH: Final = "KEY_VALUES_MISMATCH"


@dataclass(frozen=True, slots=True)
class Material:
    """The contents of the files; *client_ca* is None if there is none."""

    cert: bytes
    key: bytes = field(repr=False)
    client_ca: bytes | None = None


def read_material(config: TLSConfig, directory: str) -> Material:
    """Return what the files of *config* hold; relative ones are below *directory*.

    Raises StartError: with upstream's text for a file that cannot be read.
    """
    cert, key = config.cert.encode(), config.key.reveal().encode()
    if config.cert_file:
        cert = _read(join(directory, config.cert_file), "failed to read cert_file")
    if config.key_file:
        key = _read(join(directory, config.key_file), "failed to read key_file")
    if config.client_ca_file:
        return Material(cert, key, _read(join(directory, config.client_ca_file), ""))
    return Material(cert, key, config.client_ca.encode() or None)


def join(directory: str, path: str) -> str:
    """Return *path*, if it is relative as one below *directory*."""
    return path if os.path.isabs(path) else os.path.normpath(f"{directory}/{path}")


def _read(path: str, what: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:
        number = getattr(error, "errno", None)
        reason = os.strerror(number).lower() if number else str(error)
        text = f"open {path}: {reason}"
        raise StartError(f"{what} ({path}): {text}" if what else text) from error


def server_context(config: TLSConfig, material: Material) -> ssl.SSLContext:
    """Return the context for *config*, whose files hold *material*.

    Raises StartError: for a certificate or a key that cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _choose_versions(context, config)
    _load_pair(context, material)
    context.set_alpn_protocols(["http/1.1"])
    if len(config.curve_preferences) == 1:
        context.set_ecdh_curve(CURVES[config.curve_preferences[0]])
    if config.client_auth_type in VERIFIES:
        _ask_clients(context, config, material.client_ca)
    return context


def limits(config: TLSConfig, material: Material) -> Iterator[str]:
    """Return in sentences what of *config* cannot be had, and what it does instead."""
    if len(config.curve_preferences) > 1:
        yield (
            "curve_preferences: Python's ssl takes one curve or OpenSSL's own list;"
            " several are given, so OpenSSL's list is used"
        )
    if config.client_auth_type == ASKS_WITHOUT_NEED:
        yield (
            f"client_auth_type {ASKS_WITHOUT_NEED}: no certificate is asked for, as"
            " Python's ssl cannot take one without verifying it"
        )
    ca = material.client_ca
    if config.client_auth_type in VERIFIES and ca is not None and not _PEM.search(ca):
        yield "client_ca: found no certificate, so none of a client is accepted"


def _choose_versions(context: ssl.SSLContext, config: TLSConfig) -> None:
    chosen = config.cipher_suites or (*CIPHERS, *CIPHERS_1_3)
    old = [CIPHERS[name] for name in chosen if name in CIPHERS]
    lowest = config.min_version if old else "TLS13"
    if lowest < "TLS12":
        old.append("@SECLEVEL=0")  # above that OpenSSL has no TLS 1.1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the file asks for it
        context.minimum_version = _VERSIONS[lowest]
        context.maximum_version = _VERSIONS[max(config.max_version, lowest)]
    if old:
        context.set_ciphers(":".join(old))


def _load_pair(context: ssl.SSLContext, material: Material) -> None:
    for data, what in ((material.cert, "certificate"), (material.key, "key")):
        if not _PEM_ANY.search(data):
            raise _unusable(f"tls: failed to find any PEM data in {what} input")
    try:
        with _file(material.cert) as cert, _file(material.key) as key:
            # Without a password OpenSSL would ask the terminal for one.
            context.load_cert_chain(cert, key, password="")
    except ssl.SSLError as error:
        if error.reason == _MISMATCH:
            raise _unusable("tls: private key does not match public key") from None
        reason = (error.reason or "not understood").lower().replace("_", " ")
        raise _unusable(f"tls: {reason}") from None
    except (OSError, ValueError) as error:
        raise _unusable(str(error)) from error


def _unusable(reason: str) -> StartError:
    return StartError(f"failed to load X509KeyPair: {reason}")


@contextlib.contextmanager
def _file(data: bytes) -> Iterator[str]:
    """Hold *data* in a file, in memory if the system can, and return its path."""
    if hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd"):
        with open(os.memfd_create("tls"), "wb") as memory:
            memory.write(data)
            memory.flush()
            yield f"/proc/self/fd/{memory.fileno()}"
        return
    number, path = tempfile.mkstemp()  # for its owner only
    try:
        with open(number, "wb") as file:
            file.write(data)
        yield path
    finally:
        os.unlink(path)


def _ask_clients(
    context: ssl.SSLContext, config: TLSConfig, client_ca: bytes | None
) -> None:
    required = config.client_auth_type == "RequireAndVerifyClientCert"
    context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    # As in Go, what is in the file is trusted though it be no root.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    # A client that comes back is looked at anew.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    if client_ca is None:
        context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
        return
    for certificate in _PEM.findall(client_ca):
        with contextlib.suppress(ssl.SSLError, ValueError):  # Go skips it, too
            context.load_verify_locations(cadata=certificate.decode("ascii"))
