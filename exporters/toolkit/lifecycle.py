"""Run a service from its first line of code to its exit code.

Signals, an ordered stop under a deadline, and errors told in one line. There is no
upstream counterpart: node_exporter dies at a signal, nginx-prometheus-exporter
gives its server 5 s (``exporter.go``), promtail flushes and leaves.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from . import sdnotify
from .errors import StartError


log = logging.getLogger(__name__)

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
# What cancelled tasks get for their finally blocks.
_CANCEL_SECONDS = 0.5
# What worker threads get to notice that their executor is closed.
_THREAD_SECONDS = 0.25

Serve = Callable[[asyncio.Event], Awaitable[None]]
Reload = Callable[[], Awaitable[None]]


def run(
    serve: Serve,
    *,
    reload: Reload | None = None,
    grace_seconds: float = 9.0,
    leave: Callable[[int], object] = os._exit,
) -> int:
    """Run *serve* until it returns and return the exit code of the program.

    SIGTERM and SIGINT set the event *serve* was given; a second one, or
    *grace_seconds* gone by, cancels it. SIGHUP calls *reload*, one at a time; without
    *reload* it is left alone and ends the program, as upstream. A `StartError` is one
    ERROR line and 1, so is any other exception; orderly is 0.

    Threads that hang are not waited for: *leave* ends the process past them.
    """
    before = set(threading.enumerate())
    loop = asyncio.new_event_loop()
    # Known, so that closing it need not wait for a thread that hangs: Runner.close
    # would (python/cpython asyncio/runners.py, shutdown_default_executor).
    loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="default"))
    try:
        code = loop.run_until_complete(_supervise(serve, reload, grace_seconds))
        loop.run_until_complete(_cancel_rest())
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()  # closes the executor, too, without waiting
    hung = _wait_for_threads(before)
    if hung:
        log.warning("Leaving hung threads behind", extra={"fields": {"threads": hung}})
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        leave(code)
    return code


async def _supervise(serve: Serve, reload: Reload | None, grace: float) -> int:
    stop, hurry = asyncio.Event(), asyncio.Event()
    with _signals(stop, hurry):
        task = asyncio.ensure_future(serve(stop))
        reloader = _start_reloader(reload)
        try:
            await _first(task, stop.wait())
            if not task.done():
                sdnotify.notify("STOPPING=1")
                await _first(task, hurry.wait(), timeout=grace)
        finally:
            if reloader is not None:
                reloader.cancel()
                await asyncio.wait([reloader], timeout=_CANCEL_SECONDS)
        if not task.done():
            await _cancel(task, "asked twice" if hurry.is_set() else "out of time")
            return 0
        return _exit_code(task)


@contextlib.contextmanager
def _signals(stop: asyncio.Event, hurry: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def received(number: int) -> None:
        name = signal.Signals(number).name
        if stop.is_set():
            log.warning("Received a second %s, not waiting any longer", name)
            hurry.set()
        else:
            log.info("Received %s, shutting down", name)
            stop.set()

    for number in _STOP_SIGNALS:
        _on_signal(loop, number, received)
    try:
        yield
    finally:
        for number in _STOP_SIGNALS:
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(number)


def _on_signal(
    loop: asyncio.AbstractEventLoop, number: int, received: Callable[[int], None]
) -> None:
    try:
        loop.add_signal_handler(number, received, number)
    except NotImplementedError:  # Windows: its loop is told from the handler

        def tell(number: int, _frame: object) -> None:
            loop.call_soon_threadsafe(received, number)

        signal.signal(number, tell)


async def _first(
    task: asyncio.Future[Any],
    other: Coroutine[Any, Any, Any],
    timeout: float | None = None,  # noqa: ASYNC109 -- asyncio.wait takes one
) -> None:
    """Wait until *task* or *other* is done; *other* does not outlive the call."""
    waiter = asyncio.ensure_future(other)
    try:
        await asyncio.wait(
            [task, waiter],
            timeout=timeout,
            return_when=asyncio.FIRST_COMPLETED,
        )
    finally:
        waiter.cancel()
        await asyncio.wait([waiter])


async def _cancel(task: asyncio.Future[None], why: str) -> None:
    task.cancel()
    await asyncio.wait([task], timeout=_CANCEL_SECONDS)
    left = [
        t.get_name() for t in asyncio.all_tasks() if t is not asyncio.current_task()
    ]
    log.warning(
        "Stopped before everything was closed",
        extra={"fields": {"reason": why, "tasks_left": ",".join(left)}},
    )
    if task.done() and not task.cancelled():
        task.exception()  # it was asked to go; how it went no longer matters


def _exit_code(task: asyncio.Future[None]) -> int:
    if task.cancelled():
        log.error("Stopped by a cancellation nobody asked for")
        return 1
    error = task.exception()
    if error is None:
        return 0
    for leaf in _leaves(error):
        if isinstance(leaf, StartError):
            log.error("%s", leaf)
        else:
            log.error("Stopped by an unexpected error", exc_info=leaf)
    return 1


def _leaves(error: BaseException) -> Sequence[BaseException]:
    """Return the exceptions of a task group, or *error* itself."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for inner in error.exceptions for leaf in _leaves(inner)]


def _start_reloader(reload: Reload | None) -> asyncio.Task[None] | None:
    if reload is None:
        return None
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, asked.set)
    return asyncio.ensure_future(_reload_when(asked, reload))


async def _reload_when(asked: asyncio.Event, reload: Reload) -> None:
    try:
        while True:
            await asked.wait()
            asked.clear()
            try:
                await reload()
            except Exception:  # the settings of before stay
                log.exception("Reload failed")
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)


async def _cancel_rest() -> None:
    """Give tasks nobody awaited a moment to end."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    if rest:
        await asyncio.wait(rest, timeout=_CANCEL_SECONDS)


def _wait_for_threads(before: set[threading.Thread]) -> str:
    """Return the names of threads that would block the interpreter's exit."""
    deadline = time.monotonic() + _THREAD_SECONDS
    started = [t for t in threading.enumerate() if t not in before and not t.daemon]
    for thread in started:
        thread.join(max(0.0, deadline - time.monotonic()))
    return ",".join(thread.name for thread in started if thread.is_alive())
