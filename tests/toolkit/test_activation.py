from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporters.toolkit.activation import inherited_sockets
from exporters.toolkit.errors import StartError
from exporters.toolkit.listen import format_address


NONE = "no socket activation file descriptors found"
# Takes the place of systemd: the sockets become 3 and up, then a program starts.
AS_SYSTEMD = """
import os, sys
count = int(sys.argv[1])
for number in range(count):
    os.dup2(int(sys.argv[2 + number]), 3 + number)
os.environ.update(LISTEN_FDS=str(count), LISTEN_FDNAMES="x")
os.environ.update(LISTEN_PID=str(os.getpid()))
code = sys.argv[2 + count]
os.execv(sys.executable, [sys.executable, "-c", code])
"""
REPORT = """
import os
from exporters.toolkit.activation import inherited_sockets
from exporters.toolkit.errors import StartError
from exporters.toolkit.listen import format_address
try:
    for sock in inherited_sockets(os.environ):
        inherited = os.get_inheritable(sock.fileno())
        print(sock.fileno(), format_address(sock), inherited)
except StartError as error:
    print(error)
print([name for name in os.environ if name.startswith("LISTEN")])
"""


def activated(*sockets: socket.socket) -> list[str]:
    numbers = [str(sock.fileno()) for sock in sockets]
    done = subprocess.run(
        [sys.executable, "-c", AS_SYSTEMD, str(len(sockets)), *numbers, REPORT],
        pass_fds=[sock.fileno() for sock in sockets],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    return done.stdout.splitlines()


@pytest.fixture
def high() -> Iterator[list[socket.socket]]:
    """Sockets whose numbers are not among the first, which the child needs."""
    kept: list[socket.socket] = []
    yield kept
    for sock in kept:
        sock.close()


def listening(kept: list[socket.socket], family: int, address: object) -> socket.socket:
    with socket.socket(family, socket.SOCK_STREAM) as low:
        low.bind(address)  # type: ignore[arg-type] # of the family
        low.listen()
        kept.append(socket.socket(fileno=os.dup(low.fileno())))
    return kept[-1]


def test_several_sockets(high: list[socket.socket], tmp_path: Path) -> None:
    tcp = listening(high, socket.AF_INET, ("127.0.0.1", 0))
    unix = listening(high, socket.AF_UNIX, str(tmp_path / "s"))
    assert activated(tcp, unix) == [
        f"3 {format_address(tcp)} False",
        f"4 {tmp_path / 's'} False",
        "[]",
    ]


SERVE = """
import asyncio
from exporters.toolkit.http.application import Application
from exporters.toolkit.serving import serve
async def main():
    await serve(Application(), [":1"], asyncio.Event(), systemd_socket=True)
asyncio.run(main())
"""


def test_a_server_answers_on_all_of_them(
    high: list[socket.socket], tmp_path: Path
) -> None:
    path = str(tmp_path / "s")
    tcp = listening(high, socket.AF_INET, ("127.0.0.1", 0))
    unix = listening(high, socket.AF_UNIX, path)
    numbers = [str(sock.fileno()) for sock in (tcp, unix)]
    process = subprocess.Popen(
        [sys.executable, "-c", AS_SYSTEMD, "2", *numbers, SERVE],
        pass_fds=[tcp.fileno(), unix.fileno()],
        cwd=Path(__file__).parents[2],
    )
    try:
        # They listen before the server starts: that is what activation is for.
        for family, address in (
            (socket.AF_INET, tcp.getsockname()),
            (socket.AF_UNIX, path),
        ):
            with socket.socket(family, socket.SOCK_STREAM) as client:
                client.settimeout(30)
                client.connect(address)
                client.sendall(b"GET /x HTTP/1.0\r\n\r\n")
                assert client.recv(100).startswith(b"HTTP/1.0 404 ")
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_what_does_not_listen(kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as sock:
        assert activated(sock) == [
            "systemd socket 3: expected a listening stream socket",
            "[]",
        ]


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_FDS": "1"},
        {"LISTEN_FDS": "1", "LISTEN_PID": "1"},  # for another process
        {"LISTEN_FDS": "0", "LISTEN_PID": str(os.getpid())},
        {"LISTEN_FDS": "x", "LISTEN_PID": str(os.getpid())},
        {"LISTEN_FDS": "-1", "LISTEN_PID": str(os.getpid())},
    ],
)
def test_without_sockets(environ: dict[str, str]) -> None:
    with pytest.raises(StartError, match=NONE):
        inherited_sockets(environ)
    assert environ == {}


def test_a_number_that_is_not_open() -> None:
    environ = {"LISTEN_FDS": "100000", "LISTEN_PID": str(os.getpid())}
    with pytest.raises(StartError, match=r"systemd socket \d+: expected a"):
        inherited_sockets(environ)
