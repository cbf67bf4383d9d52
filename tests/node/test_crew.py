"""One thread in turn; another only past a stuck one; back to one afterwards."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import pytest

from exporters.node.crew import Crew


@pytest.fixture
async def crew() -> AsyncIterator[Crew[str]]:
    crew: Crew[str] = Crew()
    yield crew
    crew.close()


def submit(crew: Crew[str], work: Callable[[], str]) -> asyncio.Future[str]:
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def done(result: str) -> None:
        if not future.cancelled():
            future.set_result(result)

    crew.submit(work, done)
    return future


def thread_name() -> str:
    return threading.current_thread().name


async def test_quick_work_shares_one_thread(crew: Crew[str]) -> None:
    futures = [submit(crew, thread_name) for _ in range(50)]
    assert len(set(await asyncio.gather(*futures))) == 1
    assert crew.threads == 1


async def test_stuck_work_is_passed_and_its_thread_let_go(crew: Crew[str]) -> None:
    released = threading.Event()

    def stuck() -> str:
        assert released.wait(timeout=30)
        return "late"

    held = [submit(crew, stuck) for _ in range(3)]
    quick = submit(crew, thread_name)
    assert await asyncio.wait_for(quick, timeout=20) == "collectors-3"
    # The fourth stays for what comes next: it need not wait for a stall again.
    assert crew.threads == 4
    assert await submit(crew, thread_name) == "collectors-3"
    released.set()
    assert await asyncio.gather(*held) == ["late"] * 3
    assert crew.threads == 1
    assert await submit(crew, thread_name)


async def test_one_stuck_piece_of_work_alone_needs_no_second_thread(
    crew: Crew[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporters.node.crew.STALL_SECONDS", 0.001)
    released = threading.Event()
    held = submit(crew, lambda: str(released.wait(timeout=30)))
    looked = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.05, looked.set_result, None)
    await looked
    assert crew.threads == 1
    released.set()
    assert await held == "True"


async def test_a_cancelled_future_leaves_the_crew_in_order(crew: Crew[str]) -> None:
    released = threading.Event()
    held = submit(crew, lambda: str(released.wait(timeout=30)))
    held.cancel()
    released.set()
    assert await submit(crew, thread_name) == "collectors-0"
    assert crew.threads == 1


async def test_without_any_thread_submit_says_so(
    crew: Crew[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            submit(crew, thread_name)
    assert await submit(crew, thread_name) == "collectors-0"


async def test_what_is_done_does_not_wait_for_what_is_stuck_behind_it(
    crew: Crew[str],
) -> None:
    released = threading.Event()
    quick = submit(crew, thread_name)
    held = submit(crew, lambda: str(released.wait(timeout=30)))
    async with asyncio.timeout(20):
        assert await quick == "collectors-0"
    assert not held.done()
    released.set()
    assert await held == "True"


async def test_what_is_done_can_be_had_at_once(crew: Crew[str]) -> None:
    """Who gives up waiting asks for it: the loop may not have been told yet."""
    done, released = threading.Event(), threading.Event()

    def work() -> str:
        done.set()
        return "done"

    def next_one() -> str:
        assert done.wait(timeout=30)
        started.set()
        return str(released.wait(timeout=30))

    started = threading.Event()
    quick, held = submit(crew, work), submit(crew, next_one)
    assert started.wait(timeout=30)  # the loop stands still: nothing is delivered
    assert not quick.done()
    crew.deliver()
    assert quick.result() == "done"
    released.set()
    assert await held == "True"
