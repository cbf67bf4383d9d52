from __future__ import annotations

import socket

import pytest

from exporters.toolkit import listen
from exporters.toolkit.errors import StartError


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        (":9100", "", 9100),
        ("127.0.0.1:80", "127.0.0.1", 80),
        ("[::1]:9100", "::1", 9100),
        ("localhost:0", "localhost", 0),
        (":", "", 0),
    ],
)
def test_split(address: str, host: str, port: int) -> None:
    assert listen.split_address(address) == (host, port)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("", "listen tcp: address : missing port in address"),
        ("9100", "listen tcp: address 9100: missing port in address"),
        ("[::1]", "listen tcp: address [::1]: missing port in address"),
        ("::1:80", "listen tcp: address ::1:80: too many colons in address"),
        (":http-no", "listen tcp: lookup tcp/http-no: unknown port"),
        (":65536", "listen tcp: address 65536: invalid port"),
        (":-1", "listen tcp: lookup tcp/-1: unknown port"),
    ],
)
def test_refused(address: str, message: str) -> None:
    with pytest.raises(StartError) as caught:
        listen.split_address(address)
    assert str(caught.value) == message


@pytest.mark.parametrize("host", ["", "0.0.0.0", "[::]", "[::0]"])
async def test_every_interface_takes_both_families(host: str) -> None:
    """Go reads 0.0.0.0 and :: as the empty host, too."""
    with await listen.open_listener(f"{host}:0") as sock:
        port = sock.getsockname()[1]
        assert listen.format_address(sock) in {f"[::]:{port}", f"0.0.0.0:{port}"}
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass
        if sock.family == socket.AF_INET6:
            with socket.create_connection(("::1", port), timeout=5):
                pass


async def test_of_a_name_ipv4_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go does, while /etc/hosts and RFC 6724 often have ::1 first for localhost."""
    v6 = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 0, 0, 0))
    v4 = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [v6, v4])
    with await listen.open_listener("localhost:0") as sock:
        assert sock.getsockname()[0] == "127.0.0.1"
    assert listen.preferred([v6]) == (socket.AF_INET6, ("::1", 0, 0, 0))


async def test_busy_port_is_named_as_go_names_it() -> None:
    with await listen.open_listener("127.0.0.1:0") as sock:
        address = listen.format_address(sock)
        with pytest.raises(StartError) as caught:
            await listen.open_listener(address)
    assert str(caught.value) == f"listen tcp {address}: bind: address already in use"


async def test_foreign_address() -> None:
    with pytest.raises(StartError, match=r"bind: cannot assign requested address$"):
        await listen.open_listener("192.0.2.1:0")  # RFC 5737, nobody's


async def test_unknown_host() -> None:
    with pytest.raises(StartError, match=r"^listen tcp: lookup no..such: no such host"):
        await listen.open_listener("no..such:80")
