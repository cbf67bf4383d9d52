"""Look for allowed names in a client's certificate (``client_allowed_sans``).

Upstream counterpart: exporter-toolkit ``tls_config.go``, VerifyPeerCertificate.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final


_KINDS: Final = frozenset({"DNS", "email", "URI"})


def is_allowed(
    certificate: Mapping[str, Any] | None, allowed: Collection[str] | None
) -> bool:
    """Tell whether *certificate*, as ``getpeercert`` returns it, has an allowed name.

    Who shows no certificate has none; without a list everyone is allowed.
    """
    if allowed is None:
        return True
    return any(name in allowed for name in names(certificate or {}))


def names(certificate: Mapping[str, Any]) -> Iterator[str]:
    """Return the alternative names of *certificate*, addresses as Go prints them."""
    for kind, name in certificate.get("subjectAltName", ()):
        if kind in _KINDS:
            yield name
        elif kind == "IP Address":
            try:
                yield str(ipaddress.ip_address(name.strip()))
            except ValueError:
                continue
