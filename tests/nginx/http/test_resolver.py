from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from exporters.nginx.http.resolver import Resolver, resolver_threads


class Names:
    """Stand in for getaddrinfo(3): names that begin with ``hung`` wait."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.hang = threading.Event()
        self.started = threading.Semaphore(0)

    def getaddrinfo(self, host: str, port: int, **_: object) -> list[object]:
        self.asked.append(host)
        if host.startswith("hung"):
            self.started.release()
            assert self.hang.wait(30)
        if host == "none":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    fake = Names()
    monkeypatch.setattr(socket, "getaddrinfo", fake.getaddrinfo)
    yield fake
    fake.hang.set()


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with resolver_threads() as threads:
        yield threads


async def _literal(resolver: Resolver, host: str) -> list[str]:
    return [each.address for each in await resolver.resolve(host, 80)]


async def test_a_name_server_that_hangs_keeps_no_other_name_waiting(
    names: Names, executor: ThreadPoolExecutor
) -> None:
    resolver = Resolver(executor)
    hung = [
        asyncio.create_task(_literal(resolver, f"hung{number}")) for number in range(20)
    ]
    assert await _literal(resolver, "good") == ["192.0.2.1"]
    assert not any(task.done() for task in hung)
    names.hang.set()
    assert await asyncio.gather(*hung) == [["192.0.2.1"]] * 20


async def test_scrapes_that_give_up_hold_one_thread(
    names: Names, executor: ThreadPoolExecutor
) -> None:
    resolver = Resolver(executor)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await _literal(resolver, "hung")
    assert names.asked == ["hung"]
    names.hang.set()
    assert await _literal(resolver, "hung") == ["192.0.2.1"]


async def test_nothing_is_kept(names: Names, executor: ThreadPoolExecutor) -> None:
    resolver = Resolver(executor)
    for _ in range(2):
        assert await _literal(resolver, "good") == ["192.0.2.1"]
        with pytest.raises(socket.gaierror):
            await _literal(resolver, "none")
    assert names.asked == ["good", "none"] * 2


async def test_a_failure_nobody_waits_for_is_not_a_warning(
    names: Names, executor: ThreadPoolExecutor
) -> None:
    resolver = Resolver(executor)
    task = asyncio.create_task(resolver.resolve("none", 80))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    with pytest.raises(socket.gaierror):
        await resolver.resolve("none", 80)
