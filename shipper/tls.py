"""TLS contexts from ``tls_config`` (prometheus/common config NewTLSConfig).

Used by both ends of the road, Loki and Docker over TCP, and read once at start.
"""

from __future__ import annotations

import ssl
import tempfile
from contextlib import ExitStack

from exporters.toolkit.errors import StartError
from shipper.config.http_client import TlsConfig


_VERSIONS = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}


def tls_context(config: TlsConfig) -> ssl.SSLContext | None:
    """Return the context *config* describes, None when it says nothing.

    Raises:
        StartError: a certificate or key cannot be read or does not fit.
    """
    if config == TlsConfig():
        return None
    context = _trusting(config)
    _present(context, config)
    context.minimum_version = _VERSIONS.get(
        config.min_version, ssl.TLSVersion.TLSv1_2  # Go's default
    )  # fmt: skip
    if config.max_version:
        context.maximum_version = _VERSIONS[config.max_version]
    if config.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _trusting(config: TlsConfig) -> ssl.SSLContext:
    """Return a context that trusts *config*'s authorities alone, as Go does."""
    try:
        return ssl.create_default_context(
            cafile=config.ca_file or None, cadata=config.ca or None
        )
    except (OSError, ValueError) as error:
        name = config.ca_file or "tls_config.ca"
        raise StartError(
            f"unable to load specified CA cert {name}: {_reason(error)}"
        ) from error


def _present(context: ssl.SSLContext, config: TlsConfig) -> None:
    """Present *config*'s client certificate; Python loads one from files only."""
    if not config.cert and not config.cert_file:
        return
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
            context.load_cert_chain(cert, key)
        except (OSError, ValueError) as error:
            raise StartError(
                "unable to use specified client cert "
                f"({config.cert_file or 'tls_config.cert'}) & key "
                f"({config.key_file or 'tls_config.key'}): {_reason(error)}"
            ) from error


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
