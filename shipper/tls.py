"""TLS contexts from ``tls_config``: a client's, and a listener's.

Counterpart of prometheus/common config NewTLSConfig, and of promtail's
targets/syslog/transport.go newTLSConfig. A client's files that change while the program
runs are loaded again (`TlsSource`); a listener's are read once, at the start.
"""

from __future__ import annotations

import re
import ssl  # 4 MiB, loaded when something of it is used (toolkit/deferred.py)
import warnings
from contextlib import ExitStack
from typing import Final

from exporters.toolkit.errors import StartError
from shipper.config.tls import DEFAULT_MIN_VERSION, TlsConfig


_VERSIONS: Final = {
    "TLS10": "TLSv1",
    "TLS11": "TLSv1_1",
    "TLS12": "TLSv1_2",
    "TLS13": "TLSv1_3",
}
"""Names in ssl.TLSVersion; the members themselves would load it."""
_CERTIFICATE = re.compile(
    rb"-----BEGIN CERTIFICATE-----\s.*?-----END CERTIFICATE-----", re.DOTALL
)


class TlsSource:
    """The context that a ``tls_config`` describes now, made again when files change."""

    def __init__(self, config: TlsConfig) -> None:
        """Load *config*.

        Raises:
            StartError: a certificate or key cannot be read or does not fit.
        """
        self._config = config
        self._seen = _digest(config)
        self._context = make_context(config)

    @property
    def reads_files(self) -> bool:
        """Say whether `current` reads files: then do not call it on the event loop."""
        return bool(self._config.files)

    def current(self) -> ssl.SSLContext:
        """Return the context for the next connection.

        As promtail does, contents are compared, not times: an update by a symlink, as
        Kubernetes makes it, keeps the times of its files.

        Raises:
            StartError: a file changed and cannot be used; the next call tries again.
        """
        seen = _digest(self._config)
        if seen != self._seen:
            self._context = make_context(self._config)
            self._seen = seen
        return self._context


def tls_source(config: TlsConfig) -> TlsSource | None:
    """Return the source of contexts for *config*, None when it says nothing.

    Raises:
        StartError: a certificate or key cannot be read or does not fit.
    """
    return None if config == TlsConfig() else TlsSource(config)


def tls_context(config: TlsConfig) -> ssl.SSLContext | None:
    """Return the context *config* describes now, None when it says nothing.

    Raises:
        StartError: a certificate or key cannot be read or does not fit.
    """
    return None if config == TlsConfig() else make_context(config)


def make_context(config: TlsConfig) -> ssl.SSLContext:
    """Return a new context for *config*; raises StartError as `tls_context` does."""
    context = _trusting(config)
    if config.cert or config.cert_file:
        _present(context, config, "unable to use specified client cert ({}) & key ({})")
    _limit_versions(context, config)
    if config.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def server_context(config: TlsConfig) -> ssl.SSLContext | None:
    """Return what a listener presents and asks for, None when *config* says nothing.

    A ``ca`` or ``ca_file`` makes a certificate of the client, signed by it, necessary.

    Raises:
        StartError: a certificate or key cannot be read or does not fit.
    """
    asks = bool(config.ca or config.ca_file)
    given = config.cert, config.cert_file, config.key, config.key_file
    if not asks and not any(given):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _limit_versions(context, config)
    _present(context, config, "unable to load server certificate or key ({}, {})")
    if asks:
        _require_client(context, config)
    return context


def _trusting(config: TlsConfig) -> ssl.SSLContext:
    """Return a context that trusts *config*'s authorities alone, as Go does."""
    if not config.ca and not config.ca_file:
        return ssl.create_default_context()
    name = config.ca_file or "tls_config.ca"
    pem = _read(config.ca_file) if config.ca_file else config.ca.encode()
    found = b"\n".join(_CERTIFICATE.findall(pem))
    failed = f"unable to use specified CA cert {name}"
    if not found:
        raise StartError(f"{failed}: no certificate in PEM")
    try:
        context = ssl.create_default_context(cadata=found.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise StartError(f"{failed}: {_reason(error)}") from error
    # Go takes any certificate in the pool for an anchor, and is not strict (RFC 5280).
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _require_client(context: ssl.SSLContext, config: TlsConfig) -> None:
    name = config.ca_file or "tls_config.ca"
    try:
        context.load_verify_locations(config.ca_file or None, cadata=config.ca or None)
    except (OSError, ValueError) as error:
        raise StartError(
            f"unable to load client CA certificate {name}: {_reason(error)}"
        ) from error
    context.verify_mode = ssl.CERT_REQUIRED


def _present(context: ssl.SSLContext, config: TlsConfig, failed: str) -> None:
    """Present *config*'s certificate; *failed* takes its name and the key's.

    Python loads one from files only.
    """
    import tempfile  # noqa: PLC0415 - with shutil and random, for whoever has TLS

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
            context.load_cert_chain(cert, key, password=_no_password)
        except (OSError, ValueError) as error:
            names = (
                config.cert_file or "tls_config.cert",
                config.key_file or "tls_config.key",
            )
            raise StartError(f"{failed.format(*names)}: {_reason(error)}") from error


def _no_password() -> str:
    """Refuse: without this OpenSSL would ask whoever sits at the terminal."""
    raise ValueError("the key is encrypted, there is no key for its password")


def _limit_versions(context: ssl.SSLContext, config: TlsConfig) -> None:
    least = config.min_version or DEFAULT_MIN_VERSION
    with warnings.catch_warnings():  # who writes TLS10 knows that it is old
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion[_VERSIONS[least]]
        if config.max_version:
            context.maximum_version = ssl.TLSVersion[_VERSIONS[config.max_version]]
    if least < DEFAULT_MIN_VERSION:  # else OpenSSL refuses their signatures
        context.set_ciphers("DEFAULT:@SECLEVEL=0")


def _digest(config: TlsConfig) -> tuple[bytes, ...]:
    import hashlib  # noqa: PLC0415 - loads OpenSSL

    return tuple(hashlib.sha256(_read(file)).digest() for file in config.files)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise StartError(f"tls_config: {path}: {error.strerror}") from error


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
