from __future__ import annotations

import socket

import pytest

from deploy.stack import ports
from deploy.stack.shell import StackError


def test_a_free_port() -> None:
    ports.check("127.0.0.1", 0, "")


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        with pytest.raises(StackError) as caught:
            ports.check("127.0.0.1", str(number), "set NGINX_PORT")
    text = f"port {number}: Address already in use: set NGINX_PORT"
    assert str(caught.value) == text


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_a_port_of_ipv6() -> None:
    ports.check("[::1]", 0, "")
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        number = server.getsockname()[1]
        with pytest.raises(StackError, match=f"^port {number}: Address already in use"):
            ports.check("[::1]", number, "")


@pytest.mark.parametrize("port", ["", "http", "70000", "-1"])
def test_no_port_at_all(port: str) -> None:
    with pytest.raises(StackError, match=f"^port {port}: "):
        ports.check("127.0.0.1", port, "set it")
