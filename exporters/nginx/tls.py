"""Set up TLS towards nginx from the ``--nginx.ssl-*`` flags."""

from __future__ import annotations

import ssl

from exporters.toolkit.errors import StartError


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
