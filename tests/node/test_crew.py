"""One thread in turn; another only past a stuck one; back to one afterwards."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Callable

import pytest

from exporters.node.crew import Crew


@pytest.fixture
async def crew() -> AsyncIterator[Crew]:
    crew: Crew = Crew()
    yield crew
    crew.close()


def submit(crew: Crew, work: Callable[[], str]) -> asyncio.Task[str]:
    """Return a task that ends with what *work* gives."""
    results: list[str] = []
    crew.submit(lambda: results.append(work()))

    async def result() -> str:
        await crew.wait(lambda: bool(results), 30)
        return results[0]

    return asyncio.get_running_loop().create_task(result())


def thread_name() -> str:
    return threading.current_thread().name


async def test_quick_work_shares_one_thread(crew: Crew) -> None:
    futures = [submit(crew, thread_name) for _ in range(50)]
    assert len(set(await asyncio.gather(*futures))) == 1
    assert crew.threads == 1


async def test_stuck_work_is_passed_and_its_thread_let_go(crew: Crew) -> None:
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
    crew: Crew, monkeypatch: pytest.MonkeyPatch
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


async def test_who_waits_no_more_leaves_the_crew_in_order(crew: Crew) -> None:
    released = threading.Event()
    held = submit(crew, lambda: str(released.wait(timeout=30)))
    held.cancel()
    released.set()
    assert await submit(crew, thread_name) == "collectors-0"
    assert crew.threads == 1


async def test_without_any_thread_submit_says_so(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            submit(crew, thread_name)
    assert await submit(crew, thread_name) == "collectors-0"


async def test_what_is_done_does_not_wait_for_what_is_stuck_behind_it(
    crew: Crew,
) -> None:
    released = threading.Event()
    quick = submit(crew, thread_name)
    held = submit(crew, lambda: str(released.wait(timeout=30)))
    async with asyncio.timeout(20):
        assert await quick == "collectors-0"
    assert not held.done()
    released.set()
    assert await held == "True"


async def test_pieces_are_done_in_turn(crew: Crew) -> None:
    done: list[int] = []
    crew.submit(*[functools.partial(done.append, number) for number in range(9)])
    await crew.wait(lambda: len(done) == 9, 20)
    assert done == list(range(9))


async def test_nobody_waits_longer_than_he_likes(crew: Crew) -> None:
    await crew.wait(lambda: False, 0.01)
    released = threading.Event()
    held = submit(crew, lambda: str(released.wait(timeout=30)))
    await crew.wait(held.done, 0.01)
    assert not held.done()
    released.set()
    assert await held == "True"
