"""Ask a program of this image whether it is healthy, for Docker's HEALTHCHECK.

``python -m exporters.nginx healthcheck`` and its like exit 0 on a 200 and 1 with one
line otherwise; `python -m exporters.toolkit.healthcheck :9100/-/healthy` asks anything.
With ``--web.config.file`` a server that wants TLS or a password is healthy too: it says
so, and who checks has neither. There is no upstream counterpart: its images have
neither a shell nor a client. Little is imported, as this runs every few seconds: 40 ms
of CPU, 17 of them the interpreter's start (CPython 3.11, a busy machine), where
`urllib.request` would be 20 more.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Sequence

from . import unix_socket, whereabouts


TYPE_CHECKING = False
if TYPE_CHECKING:  # as `typing` has it, whose import would be 4 ms
    from typing import Any


TIMEOUT_SECONDS = 3.0
EXPECTED = "expected [host]:port[/path] or unix:/socket[:/path]"

# Well, or well guarded: by users, by a rate limit.
_ALIVE = frozenset({"200", "401", "429"})
# What a port for TLS answers who does not speak it.
_TLS = b"\r\n\r\nClient sent an HTTP request to an HTTPS server."
_ENOUGH_BYTES = 256
# Who listens everywhere listens here; without IPv6, or without IPv4, on one of them.
_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})
_HERE = ("127.0.0.1", "::1")

Address = tuple[str, int] | str


def main(argv: Sequence[str]) -> int:
    """Ask the address in *argv*, its only word; return the exit code."""
    return _checked(argv[0] if len(argv) == 1 else "", "/")


def run(argv: Sequence[str], flag: str, listen: str, path: str = "/-/healthy") -> int:
    """Do what the subcommand ``healthcheck`` does; return the exit code.

    *argv* is what stands behind that word: an address, or the *flag* that the program
    itself is given. Without either it is where the program of this container says that
    it listens, or *listen*. *path* is asked for where the address has none.
    """
    if argv and argv[0] in {"-h", "--help", "-help"}:
        print(f"usage: healthcheck [--{flag}=… | [host]:port[/path] | unix:/…[:/path]]")  # noqa: T201 -- asked for
        return 0
    try:
        told = _addresses(argv, flag) or whereabouts.find(whereabouts.program())
        address = _first(told or listen.split("\n"))
    except ValueError as error:
        return _unhealthy(" ".join(argv), str(error))
    return _checked(address, path)


def _addresses(argv: Sequence[str], flag: str) -> list[str]:
    """Return the addresses in *argv*; a bare port is one, too."""
    found = []
    words = list(argv)
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            name, equals, word = word.partition("=")
            if name.lstrip("-") != flag:
                raise ValueError(f"unknown flag {name}, expected --{flag}")
            if not equals and not words:
                raise ValueError(f"expected argument for flag --{flag}")
            word = word if equals else words.pop(0)
        found.append(f":{word}" if word.isdecimal() else word)
    return found


def _first(addresses: Sequence[str]) -> str:
    """Return the first of *addresses* that can be asked from here."""
    for address in addresses:
        if not address.startswith("vsock:"):
            return address
    raise ValueError(f"{addresses[0]} cannot be asked from here, {EXPECTED}")


def _checked(where: str, path: str) -> int:
    try:
        address, path = parse(where, path)
        problem = ask(address, path)
    except OSError as error:
        problem = error.strerror or str(error)
    except ValueError as error:
        problem = str(error)
    return _unhealthy(where, problem) if problem else 0


def _unhealthy(where: str, problem: str) -> int:
    print(f"healthcheck: {where}: {problem}", file=sys.stderr)  # noqa: T201 -- Docker keeps it
    return 1


def parse(text: str, path: str = "/") -> tuple[Address, str]:
    """Return the address and the path in *text*, *path* where it has none.

    Raises ValueError: it is neither ``[host]:port[/path]`` nor ``unix:/socket``.
    """
    if text.startswith(unix_socket.SCHEME):
        file, request = unix_socket.split(text)
        if not file:
            raise ValueError(EXPECTED)
        return file, request or path
    address, slash, rest = text.partition("/")
    host, colon, port = address.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise ValueError(EXPECTED)
    return (host, int(port)), slash + rest or path


def ask(address: Address, path: str) -> str:
    """Return what is wrong with the answer at *address*; nothing when it is alive."""
    until = time.monotonic() + TIMEOUT_SECONDS
    host = "localhost" if isinstance(address, str) else address[0]
    named = f"[{host}]" if ":" in host else host or "localhost"
    request = f"GET {path} HTTP/1.0\r\nHost: {named}\r\nConnection: close\r\n\r\n"
    with _connect(address) as connection:
        connection.sendall(request.encode())
        answer = _read(connection, until)
    status = answer.partition(b"\n")[0].decode("latin-1").strip()
    protocol, _, rest = status.partition(" ")
    alive = rest[:3] in _ALIVE or _TLS in answer
    if protocol.startswith("HTTP/") and alive:
        return ""
    return f"expected 200, got {status!r}"


def _connect(address: Address) -> socket.socket:
    """Return a connection to *address*; raise the first OSError if there is none."""
    problem: OSError | None = None
    for family, where in _places(address):
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.settimeout(TIMEOUT_SECONDS)
        try:
            connection.connect(where)
        except OSError as error:
            connection.close()
            problem = problem or error
        else:
            return connection
    raise problem or OSError("no address found")


def _places(address: Address) -> Sequence[tuple[int, Any]]:
    if isinstance(address, str):
        return [(socket.AF_UNIX, address)]
    host, port = address
    if host in _EVERYWHERE:
        return [(socket.AF_INET, (_HERE[0], port)), (socket.AF_INET6, (_HERE[1], port))]
    # Bytes: text would have the codec for international names imported, 6 ms.
    name = host.encode() if host.isascii() else host
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return [(family, where) for family, _, _, _, where in found]


def _read(connection: socket.socket, until: float) -> bytes:
    """Return the beginning of the answer; it must be there *until*."""
    answer = b""
    while len(answer) < _ENOUGH_BYTES:
        connection.settimeout(max(until - time.monotonic(), 0.001))
        more = connection.recv(_ENOUGH_BYTES)
        if not more:
            break
        answer += more
    return answer


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
