"""Where to listen for syslog: ``udp://:5514``, ``unix:/path``, ``tcp://127.0.0.1:5514``.

The spellings of ``listen_address`` in prometheus-nginxlog-exporter (pkg/syslog), and
nginx's own ``unix:/path``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal


Scheme = Literal["udp", "tcp", "unix"]

EXPECTED: Final = "expected udp://[host]:port, tcp://[host]:port or unix:/path"

_NETWORK: Final = re.compile(r"(udp|tcp)://(\[[^\[\]]*\]|[^:/\[\]]*):([0-9]{1,5})/?")
# sockaddr_un.sun_path, less the zero at its end
_PATH_BYTES: Final = 107


@dataclass(frozen=True, slots=True)
class Listen:
    """One address. *host* is empty for every interface; *path* is a unix socket's."""

    scheme: Scheme
    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.scheme == "unix":
            return f"unix:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def parse_listen(text: str) -> Listen:
    """Return the address that *text* names; raise ValueError if it names none."""
    if text.startswith("unix:"):
        return _unix(text)
    found = _NETWORK.fullmatch(text)
    if found is None or int(found[3]) > 65535:
        raise ValueError(f"cannot read syslog address '{text}': {EXPECTED}")
    scheme: Scheme = "udp" if found[1] == "udp" else "tcp"
    return Listen(scheme, found[2].strip("[]"), int(found[3]))


def _unix(text: str) -> Listen:
    path = text.removeprefix("unix:").removeprefix("//")
    if not path or path.endswith("/") or "\0" in path:
        raise ValueError(f"cannot read syslog address '{text}': {EXPECTED}")
    size = len(path.encode("utf-8", "surrogateescape"))
    if size > _PATH_BYTES:
        raise ValueError(
            f"cannot use '{text}': expected a path of at most {_PATH_BYTES} bytes, "
            f"got {size}"
        )
    return Listen("unix", path=path)
