from __future__ import annotations

import asyncio
import socket
import sys

import pytest

from exporters.toolkit import vsock
from exporters.toolkit.errors import StartError
from exporters.toolkit.listen import format_address, format_peer, open_listener
from exporters.toolkit.web import Application

from .conftest import running


@pytest.mark.parametrize(
    ("address", "port"), [("vsock://:9100", 9100), ("vsock://3:9100/x", 9100)]
)
def test_port(address: str, port: int) -> None:
    assert vsock.parse_port(address) == port


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("vsock://9100", "address 9100: missing port in address"),
        ("vsock://:x", 'parse "vsock://:x": invalid port ":x" after host'),
        ("vsock://:", 'strconv.ParseUint: parsing "": invalid syntax'),
        (
            "vsock://:99999999999",
            'strconv.ParseUint: parsing "99999999999": value out of range',
        ),
    ],
)
def test_refused(address: str, text: str) -> None:
    with pytest.raises(StartError) as caught:
        vsock.listen(address)
    assert str(caught.value) == text


def test_how_an_address_is_shown() -> None:
    assert format_peer((2, 9100)) == "host(2):9100"
    assert format_peer((7, 9100)) == "vm(7):9100"
    assert format_peer("/run/x.sock") == "/run/x.sock"


def has_vsock() -> bool:
    if sys.platform != "linux":
        return False
    try:
        with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as one:
            one.bind((socket.VMADDR_CID_ANY, socket.VMADDR_PORT_ANY))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_vsock(), reason="this machine has no vsock")
async def test_a_server_listens_for_the_host() -> None:
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as free:
        free.bind((socket.VMADDR_CID_ANY, socket.VMADDR_PORT_ANY))
        port = free.getsockname()[1]
    async with running(Application(), f"vsock://:{port}") as server:
        assert server.addresses == [f"any(4294967295):{port}"]
        with pytest.raises(StartError, match="address already in use"):
            await open_listener(f"vsock://:{port}")
        await _ask_if_it_can_be_reached(port)


async def _ask_if_it_can_be_reached(port: int) -> None:
    """Ask through vsock's loopback, which not every kernel has."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as client:
        client.setblocking(False)
        try:
            await loop.sock_connect(client, (1, port))
        except OSError:
            return
        await loop.sock_sendall(client, b"GET /x HTTP/1.0\r\n\r\n")
        assert (await loop.sock_recv(client, 64)).startswith(b"HTTP/1.0 404 ")


def test_a_closed_listener_is_no_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        assert format_address(sock).startswith("127.0.0.1:")
