from __future__ import annotations

import socket

import pytest

from exporters.nginx.access_log.sources.listen import Listen
from exporters.nginx.access_log.sources.sockets import open_udp
from exporters.toolkit.errors import StartError


async def test_udp() -> None:
    with await open_udp(Listen("udp", "127.0.0.1")) as sock:
        port = sock.getsockname()[1]
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) > 212992
        with pytest.raises(StartError) as caught:
            await open_udp(Listen("udp", "127.0.0.1", port))
    assert str(caught.value) == (
        f"listen udp://127.0.0.1:{port}: bind: address already in use"
    )


async def test_udp_on_every_interface_is_both_families() -> None:
    with (
        await open_udp(Listen("udp")) as sock,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        sender.sendto(b"x", ("127.0.0.1", sock.getsockname()[1]))
        assert sock.recv(10) == b"x"


async def test_udp_on_a_name_that_nobody_has() -> None:
    with pytest.raises(StartError) as caught:
        await open_udp(Listen("udp", "nobody.invalid", 5514))
    assert str(caught.value) == (
        "listen udp://nobody.invalid:5514: lookup nobody.invalid: no such host"
    )
