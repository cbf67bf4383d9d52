"""What exporter-toolkit calls versions, ciphers, curves and client policies of TLS.

Upstream counterpart: Go's ``crypto/tls``, as exporter-toolkit ``tls_config.go`` names
its parts, and the names OpenSSL has for the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Annotated, Final

from .decode import Scalar


# Names sort as the versions do.
VERSIONS: Final = ("TLS10", "TLS11", "TLS12", "TLS13")

# Go's own order: a list in the file chooses, and does not sort.
CIPHERS: Final = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
}
# Known, and always on where TLS 1.3 is: Go cannot choose among them either.
CIPHERS_1_3: Final = (
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
)

CURVES: Final = {
    "CurveP256": "prime256v1",
    "CurveP384": "secp384r1",
    "CurveP521": "secp521r1",
    "X25519": "X25519",
}

ASKS_WITHOUT_NEED: Final = "RequestClientCert"
VERIFIES: Final = ("VerifyClientCertIfGiven", "RequireAndVerifyClientCert")
_UNVERIFIED: Final = ("RequireAnyClientCert", "RequireClientCert")


def client_auth_problem(name: str) -> str | None:
    """Return why the client_auth_type *name* cannot be used, or None."""
    if name in {"", "NoClientCert", ASKS_WITHOUT_NEED, *VERIFIES}:
        return None
    if name in _UNVERIFIED:
        return (
            f"client_auth_type {name}: Python's ssl cannot take a certificate without"
            " verifying it; expected RequireAndVerifyClientCert and client_ca_file"
        )
    return f"invalid ClientAuth: {name}"


def _one_of(names: Collection[str], what: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(f"unknown {what}: {text}")
        return text

    return parse


Version = Annotated[str, Scalar("TLSVersion", _one_of(VERSIONS, "TLS version"))]
Cipher = Annotated[str, Scalar("Cipher", _one_of({*CIPHERS, *CIPHERS_1_3}, "cipher"))]
Curve = Annotated[str, Scalar("Curve", _one_of(CURVES, "curve"))]
