from __future__ import annotations

import asyncio
import threading

import pytest

from shipper.syslog import hostnames
from shipper.syslog.addresses import ip_of
from shipper.syslog.hostnames import Hostnames, names_in_hosts


HOSTS = """
127.0.0.1 localhost   # comment
10.0.0.1  web.example.com web
10.0.0.1\tthird # 10.0.0.1 no
"""


@pytest.mark.parametrize(
    ("ip", "names"),
    [
        ("127.0.0.1", ["localhost"]),
        ("10.0.0.1", ["web.example.com.", "web", "third"]),
        ("10.0.0.2", []),
    ],
)
def test_hosts_file_as_go_reads_it(ip: str, names: list[str]) -> None:
    assert names_in_hosts(HOSTS, ip) == names


async def test_an_answer_is_kept() -> None:
    asked: list[str] = []

    def look_up(ip: str) -> str:
        asked.append(ip)
        return f"name of {ip}"

    names = Hostnames(look_up)
    assert await names.of("::1") == "name of ::1"
    assert await names.of("::1") == "name of ::1"
    assert asked == ["::1"]


async def test_a_lookup_that_fails_is_no_name() -> None:
    def look_up(ip: str) -> str:
        raise OSError

    assert await Hostnames(look_up).of("::1") == ""


async def test_a_resolver_that_hangs_holds_nothing_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hostnames, "_PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(hostnames, "_MAX_ASKED", 2)
    go_on = threading.Event()
    asked: list[str] = []

    def look_up(ip: str) -> str:
        asked.append(ip)
        go_on.wait(5)
        return ip

    names = Hostnames(look_up)
    try:
        async with asyncio.timeout(3):
            for number in range(5):
                assert await names.of(f"10.0.0.{number}") == ""
        assert len(asked) == 2  # no more threads than that
    finally:
        go_on.set()


@pytest.mark.parametrize(
    ("address", "ip"),
    [
        (("127.0.0.1", 1), "127.0.0.1"),
        (("::ffff:10.0.0.1", 1, 0, 0), "10.0.0.1"),
        (("fe80::1%eth0", 1, 0, 2), "fe80::1"),
        (("2001:DB8::0:1", 1, 0, 0), "2001:db8::1"),
        (None, ""),
    ],
)
def test_addresses(address: object, ip: str) -> None:
    assert ip_of(address) == ip
