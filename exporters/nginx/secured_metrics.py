"""Serve metrics with TLS as 0.x does: a certificate, a key and nothing else.

Upstream counterpart: nginx-prometheus-exporter 0.x, ``exporter.go``,
ServeTLS. As with ``--web.config.file``, files that change are read again.
"""

from __future__ import annotations

from exporters.toolkit.config_file import ConfigFile
from exporters.toolkit.errors import StartError
from exporters.toolkit.protection import Protection
from exporters.toolkit.webconfig import Config, TLSConfig


async def secured(cert_file: str, key_file: str) -> Protection:
    """Return what serves with the certificate in *cert_file*; raises StartError."""
    pair = _Pair(cert_file, key_file)
    try:
        return Protection(pair, await pair.start())
    except StartError as error:
        pair.close()
        raise StartError(
            f"--web.ssl-server-cert, --web.ssl-server-key: {error}"
        ) from error
    except BaseException:
        pair.close()
        raise


class _Pair(ConfigFile):
    """The file that would say so; relative names are below the working directory."""

    def __init__(self, cert_file: str, key_file: str) -> None:
        super().__init__("")
        tls = TLSConfig(cert_file=cert_file, key_file=key_file)
        self._config = Config(tls_server_config=tls)

    def _load(self) -> tuple[bytes, Config]:
        return b"", self._config
