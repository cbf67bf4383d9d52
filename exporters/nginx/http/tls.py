"""TLS towards nginx: the ``--nginx.ssl-*`` flags and the context they make.

Upstream counterpart: ``exporter.go``, sslConfig.
"""

from __future__ import annotations

import functools
import logging
import ssl  # 4 MiB, loaded as soon as something of it is used (toolkit/deferred.py)

from exporters.toolkit import flags
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Values


log = logging.getLogger(__name__)

SSL_VERIFY = flags.boolean(
    "nginx.ssl-verify", "Perform SSL certificate verification.", env="SSL_VERIFY"
)
SSL_CA_CERT = flags.string(
    "nginx.ssl-ca-cert",
    "Path to the PEM encoded CA certificate file used to validate the servers SSL "
    "certificate.",
    env="SSL_CA_CERT",
    placeholder='""',
)
SSL_CLIENT_CERT = flags.string(
    "nginx.ssl-client-cert",
    "Path to the PEM encoded client certificate file to use when connecting to the "
    "server.",
    env="SSL_CLIENT_CERT",
    placeholder='""',
)
SSL_CLIENT_KEY = flags.string(
    "nginx.ssl-client-key",
    "Path to the PEM encoded client certificate key file to use when connecting to "
    "the server.",
    env="SSL_CLIENT_KEY",
    placeholder='""',
)
FLAGS = (SSL_VERIFY, SSL_CA_CERT, SSL_CLIENT_CERT, SSL_CLIENT_KEY)


def context_from(values: Values) -> ssl.SSLContext | None:
    """Return the context that the flags ask for; say what of them has no effect.

    None where they ask for nothing: `any_certificate`, should TLS be needed at all.

    Upstream is silent about both; 0.x verified unless told not to, so that who comes
    from there with a CA would lose the check unawares. Raises StartError.
    """
    verify, authorities = values[SSL_VERIFY], values[SSL_CA_CERT]
    certificate, key = values[SSL_CLIENT_CERT], values[SSL_CLIENT_KEY]
    if not (verify or authorities or certificate or key):
        return None
    context = client_context(
        verify=verify,
        ca_file=authorities,
        cert_file=certificate,
        key_file=key,
    )
    if bool(certificate) != bool(key):
        log.warning(
            "no client certificate is used: expected both --nginx.ssl-client-cert "
            "and --nginx.ssl-client-key, got one"
        )
    if authorities and not verify:
        log.warning("--nginx.ssl-ca-cert has no effect without --nginx.ssl-verify")
    return context


@functools.cache
def any_certificate() -> ssl.SSLContext:
    """Return the context without any flag: everybody is who they say they are."""
    return client_context(verify=False, ca_file="", cert_file="", key_file="")


def client_context(
    *, verify: bool, ca_file: str, cert_file: str, key_file: str
) -> ssl.SSLContext:
    """Return the context for https targets.

    Without *verify* any certificate is accepted, which is upstream's default since
    1.0. *ca_file* stands in for the system's authorities; it is read even without
    *verify*, so that a wrong path shows at once. *cert_file* and *key_file* are used
    only together, as upstream does. Raises StartError for a file that cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file:
        _load_authorities(context, ca_file)
    elif verify:
        context.load_default_certs()
    if cert_file and key_file:
        _load_certificate(context, cert_file, key_file)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _load_authorities(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        raise StartError(
            f"--nginx.ssl-ca-cert {path}: expected PEM certificates: {error.reason}"
        ) from error
    except OSError as error:
        raise StartError(f"--nginx.ssl-ca-cert {path}: {error.strerror}") from error


def _load_certificate(context: ssl.SSLContext, cert_file: str, key_file: str) -> None:
    def no_passphrase() -> str:
        # Otherwise OpenSSL would ask the terminal, and a service would hang there.
        raise StartError(
            f"--nginx.ssl-client-key {key_file}: expected a key without a passphrase"
        )

    where = f"--nginx.ssl-client-cert {cert_file}, --nginx.ssl-client-key {key_file}"
    try:
        context.load_cert_chain(cert_file, key_file, password=no_passphrase)
    except ssl.SSLError as error:
        raise StartError(
            f"{where}: expected a PEM certificate and its key: {error.reason}"
        ) from error
    except OSError as error:
        raise StartError(f"{where}: {error.strerror}") from error
