"""Ask a program of this image whether it is healthy, for Docker's HEALTHCHECK.

`python -m exporters.toolkit.healthcheck :9100/-/healthy` exits 0 on a 200 and 1 with
one line otherwise. With ``--web.config.file`` a server that wants TLS or a password is
healthy too: it says so, and who checks has neither. There is no upstream counterpart:
its images have neither a shell nor a client. Only `socket` is imported, as this runs
every few seconds: 33 ms of CPU with the interpreter's start, 50 to 62 with
`urllib.request` (Debian's CPython 3.11).
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence


TIMEOUT_SECONDS = 3.0

# Well, or well guarded: by users, by a rate limit.
_ALIVE = frozenset({"200", "401", "429"})
# What a port for TLS answers who does not speak it.
_TLS = b"\r\n\r\nClient sent an HTTP request to an HTTPS server."


def main(argv: Sequence[str]) -> int:
    """Ask the address in *argv*: ``[host]:port/path``."""
    try:
        address, path = parse(argv)
        problem = ask(address, path)
    except (OSError, ValueError) as error:
        problem = str(error)
    if problem:
        print(f"healthcheck: {' '.join(argv)}: {problem}", file=sys.stderr)  # noqa: T201 -- Docker keeps it
    return 1 if problem else 0


def parse(argv: Sequence[str]) -> tuple[tuple[str, int], str]:
    """Return the address and the path of ``[host]:port/path``."""
    if len(argv) != 1:
        raise ValueError("expected one argument, [host]:port/path")
    address, slash, path = argv[0].partition("/")
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal():
        raise ValueError("expected [host]:port/path")
    return (host or "127.0.0.1", int(port)), slash + path or "/"


def ask(address: tuple[str, int], path: str) -> str:
    """Return what is wrong with the answer at *address*; nothing when it is alive."""
    with socket.create_connection(address, TIMEOUT_SECONDS) as connection:
        request = f"GET {path} HTTP/1.0\r\nHost: {address[0]}\r\n\r\n"
        connection.sendall(request.encode())
        answer = connection.makefile("rb").read(256)
    status = answer.partition(b"\n")[0].decode("latin-1").strip()
    protocol, _, rest = status.partition(" ")
    alive = rest[:3] in _ALIVE or _TLS in answer
    if protocol.startswith("HTTP/") and alive:
        return ""
    return f"expected 200, got {status!r}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
