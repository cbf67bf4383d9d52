from __future__ import annotations

import asyncio

from exporters.toolkit.http.patience import Patience


async def test_the_first_goes_first() -> None:
    gone: list[str] = []
    done = asyncio.Event()

    def expire(name: str) -> None:
        gone.append(name)
        if len(gone) == 2:
            done.set()

    patience = Patience[str](0.05, expire)
    for name in ("a", "b", "c", "a"):
        patience.add(name)
    patience.discard("b")
    patience.discard("never there")
    async with asyncio.timeout(5):
        await done.wait()
    assert gone == ["a", "c"]
    assert len(patience) == 0
    assert not patience.expire_first()
    patience.close()


async def test_nobody_goes_too_early() -> None:
    loop = asyncio.get_running_loop()
    gone: dict[str, float] = {}
    done = asyncio.Event()

    def expire(name: str) -> None:
        gone[name] = loop.time()
        if name == "b":
            done.set()

    patience = Patience[str](0.1, expire)
    began = {"a": loop.time()}
    patience.add("a")
    loop.call_later(0.05, patience.add, "b")
    began["b"] = loop.time() + 0.05
    async with asyncio.timeout(5):
        await done.wait()
    assert all(gone[name] - began[name] >= 0.099 for name in gone)
    patience.close()


async def test_too_many() -> None:
    gone: list[int] = []
    patience = Patience[int](100, gone.append, 3)
    for number in range(5):
        patience.add(number)
    assert gone == [0, 1]
    assert patience.expire_first()
    assert gone == [0, 1, 2]
    patience.close()
