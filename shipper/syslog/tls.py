"""The TLS context of a listener (promtail targets/syslog/transport.go newTLSConfig).

Certificates are read once, at the start.
"""

from __future__ import annotations

import ssl
import tempfile
from contextlib import ExitStack
from typing import Final

from exporters.toolkit.errors import StartError
from shipper.config.tls import TlsConfig


_VERSIONS: Final = {
    "": ssl.TLSVersion.TLSv1_2,  # Go's default
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}


def server_context(config: TlsConfig) -> ssl.SSLContext | None:
    """Return what a listener presents and asks for, None when *config* says nothing.

    A ``ca`` or ``ca_file`` makes a certificate of the client, signed by it, necessary.

    Raises:
        StartError: a certificate or key cannot be read or does not fit.
    """
    if not is_wanted(config):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[config.min_version]
    if config.max_version:
        context.maximum_version = _VERSIONS[config.max_version]
    _present(context, config)
    if config.ca or config.ca_file:
        _require_client(context, config)
    return context


def is_wanted(config: TlsConfig) -> bool:
    """Say whether *config* names a certificate, a key or an authority."""
    return any(
        (
            config.cert, config.cert_file, config.key, config.key_file,
            config.ca, config.ca_file,
        )
    )  # fmt: skip


def _present(context: ssl.SSLContext, config: TlsConfig) -> None:
    with ExitStack() as stack:

        def path(given: str, text: str) -> str:
            if given:
                return given
            file = stack.enter_context(tempfile.NamedTemporaryFile("w", suffix=".pem"))
            file.write(text)
            file.flush()
            return file.name

        cert = path(config.cert_file, config.cert)
        key = path(config.key_file, config.key.reveal())
        try:
            # Without a callback OpenSSL would ask at the terminal.
            context.load_cert_chain(cert, key, password=_no_passphrase)
        except (OSError, ValueError) as error:
            raise StartError(
                "unable to load server certificate or key "
                f"({config.cert_file or 'tls_config.cert'}, "
                f"{config.key_file or 'tls_config.key'}): {_reason(error)}"
            ) from error


def _require_client(context: ssl.SSLContext, config: TlsConfig) -> None:
    name = config.ca_file or "tls_config.ca"
    try:
        context.load_verify_locations(config.ca_file or None, cadata=config.ca or None)
    except (OSError, ValueError) as error:
        raise StartError(
            f"unable to load client CA certificate {name}: {_reason(error)}"
        ) from error
    context.verify_mode = ssl.CERT_REQUIRED


def _no_passphrase() -> str:
    raise ValueError("expected a key without a passphrase")


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
