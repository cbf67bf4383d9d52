"""In processes of their own: a test has everything loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest


BEGIN = """
import sys
from exporters.toolkit.deferred import HEAVY, defer
defer(*HEAVY)
import asyncio
"""
# What only the real modules bring.
LOADED = "{'_ssl', 'ast', 'dis'} & sys.modules.keys()"


def _run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", BEGIN + code],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_loop_runs_without_them() -> None:
    code = f"""
import signal
async def main():
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, print)
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    async with server, asyncio.timeout(9), asyncio.TaskGroup() as group:
        port = server.sockets[0].getsockname()[1]
        group.create_task(asyncio.to_thread(int))
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
asyncio.run(main())
print({LOADED})
"""
    assert _run(code) == "set()\n"


def test_tls_works_as_ever() -> None:
    code = """
import ssl
context = ssl.create_default_context()
async def main():
    async def hear(reader, writer):
        writer.close()
    async with await asyncio.start_server(hear, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        try:
            await asyncio.open_connection("127.0.0.1", port, ssl=context)
        except (ssl.SSLError, ConnectionResetError) as error:
            print(isinstance(error, OSError))
asyncio.run(main())
import ssl as again
from ssl import SSLContext
print(type(context) is SSLContext is ssl.SSLContext is again.SSLContext)
print(again.__file__ == ssl.__file__)
"""
    assert _run(code) == "True\nTrue\nTrue\n"


def test_what_is_told_of_functions_is_what_inspect_tells() -> None:
    code = """
import functools, inspect
class C:
    async def a(self): pass
    def b(self): yield
    def __call__(self): pass
async def generator(): yield
partial = functools.partial(functools.partial(asyncio.sleep, 1), 2)
asked = [
    asyncio.sleep, print, partial, C().a, C().b, C(), C, C.a, generator, len, None,
    functools.partial(C().a), lambda: None,
]
before = [inspect.iscoroutinefunction(each) for each in asked]
print("ast" in sys.modules)
inspect.signature(main := asyncio.sleep)
print(before == [inspect.iscoroutinefunction(each) for each in asked], sum(before))
"""
    assert _run(code) == "False\nTrue 5\n"


def test_many_threads_load_one_module() -> None:
    code = """
import ssl, threading
together = threading.Barrier(8)
found = []
def ask():
    together.wait()
    found.append(ssl.SSLContext)
threads = [threading.Thread(target=ask) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(found), len(set(found)))
"""
    assert _run(code) == "8 1\n"


@pytest.mark.parametrize("name", ["json", "xml.dom"])
def test_what_is_loaded_stays(name: str) -> None:
    code = f"""
import {name} as before
defer("{name}")
import {name} as after
print(before is after)
"""
    assert _run(code) == "True\n"


def test_a_module_that_is_none() -> None:
    code = """
defer("none_of_this_name")
import none_of_this_name
print(getattr(none_of_this_name, "__file__", None))
try:
    none_of_this_name.x
except ImportError as error:
    print(error)
"""
    assert _run(code) == "None\nNo module named 'none_of_this_name'\n"


def test_a_package_without_its_init() -> None:
    code = """
from exporters.toolkit.deferred import defer_package
defer_package("prometheus_client")
defer("prometheus_client.decorator")
from prometheus_client.metrics import Counter
from prometheus_client.registry import CollectorRegistry
assert not {'_ssl', 'prometheus_client.exposition'} & sys.modules.keys()
counter = Counter("a", "b", registry=CollectorRegistry())
import prometheus_client
assert prometheus_client.Counter is Counter
assert prometheus_client.registry.CollectorRegistry is CollectorRegistry
@counter.count_exceptions()
def f(): return 7
print(f())
"""
    assert _run(code) == "7\n"


def test_a_plain_start_of_the_shipper() -> None:
    code = """
from exporters.toolkit.deferred import defer_package
defer_package("prometheus_client")
defer("prometheus_client.decorator")
import shipper.cli
heavy = {'aiohttp', 'aiodocker', 'yarl', 'multidict', '_ssl', 'dis', 'http.server'}
print(heavy & sys.modules.keys())
"""
    assert _run(code) == "set()\n"
