"""Side by side with hipages' php-fpm_exporter at the same php-fpm."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiohttp
import pytest

from exporters.toolkit.exposition import encode
from tests.nginx.conftest import Start
from tests.nginx.fpm.conftest import (
    Collect,
    Pools,
    always,
    answer,
    fake_fpm,
    record,
    uri_of,
)
from tests.nginx.fpm.pages import child, page
from tests.programs import program


pytestmark = pytest.mark.oracle

# Each scrape is a request, too, and takes a child for a while; seconds pass.
MOVING = re.compile(
    r"phpfpm_(accepted_connections|start_since|process_\w+|\w*(idle|active)_processes){"
)
ONLY_OURS = re.compile(r".*\bphpfpm_(memory_peak|socket_\w+)\b")

Lines = list[str]
Both = Callable[..., Awaitable[tuple[Lines, Lines]]]


@pytest.fixture
def both(start_exporter: Start, collector: Collect) -> Both:
    """Scrape *uris* with a new exporter of each kind; return ours and theirs."""

    async def scrape(
        *uris: str, fix_process_count: bool = False
    ) -> tuple[Lines, Lines]:
        exporter = program("PHP_FPM_EXPORTER", "php-fpm_exporter", "/usr/local/bin")
        flags = [f"--phpfpm.scrape-uri={uri}" for uri in uris]
        if fix_process_count:
            flags.append("--phpfpm.fix-process-count")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        flags.append(f"--web.listen-address={address}")
        await asyncio.to_thread(
            start_exporter, "server", *flags, command=(exporter,), started="Starting"
        )
        theirs = await _get(f"http://{address}/metrics")
        collect = collector(*uris, fix_process_count=fix_process_count).collect
        ours = encode(await collect(None)).decode()
        return _phpfpm(ours), _phpfpm(theirs)

    return scrape


async def _get(url: str) -> str:
    # It says "Starting server" before it listens.
    async with asyncio.timeout(20), aiohttp.ClientSession() as session:
        while True:
            with suppress(aiohttp.ClientConnectorError):
                async with session.get(url) as response:
                    return await response.text()


def _phpfpm(text: str) -> Lines:
    return [line for line in text.splitlines() if "phpfpm_" in line]


def _without_numbers(lines: Lines) -> Lines:
    return [
        line.rpartition(" ")[0] if MOVING.match(line) else line
        for line in lines
        if not ONLY_OURS.match(line)
    ]


async def test_a_real_php_fpm(real_fpm: Pools, both: Both) -> None:
    fpm = real_fpm(
        www={"listen": "tcp", "pm.max_children": "12"},
        api={"listen": "unix", "pm.max_children": "2"},
        bad={"listen": "tcp"},
    )
    uris = (
        uri_of(fpm.listen["www"]),
        f"unix://{fpm.listen['api']};/status",
        uri_of(fpm.listen["bad"], "/nothing"),
    )
    ours, theirs = await both(*uris)
    assert len(ours) > 100
    assert _without_numbers(ours) == _without_numbers(theirs)


PAGES = {
    "php 8": page(child(), child(state="Running"), child(state="Reading headers")),
    "php 7.3": page(child(state="Getting request informations"), child(state="Ending")),
    "php 5": page(child(uri='/?a="b"', start_time="1"), child(duration=2**64 - 9)),
    "php 8.4": page(child(state="Finishing"), peak=',"memory peak":2097152'),
    "no children": page(),
    "a new state": page(child(state="Dreaming")),
}


@pytest.mark.parametrize("name", PAGES)
async def test_the_same_page(both: Both, name: str) -> None:
    """To the byte, numbers too."""
    async with fake_fpm(always(answer(PAGES[name]))) as (_, uri):
        ours, theirs = await both(uri)
    assert any("phpfpm_up" in line and line.endswith(" 1") for line in ours)
    assert [line for line in ours if not ONLY_OURS.match(line)] == theirs


async def test_the_same_count(both: Both) -> None:
    body = page(child(), child(state="Running"), child(state="Reading headers"))
    async with fake_fpm(always(answer(body))) as (_, uri):
        ours, theirs = await both(uri, fix_process_count=True)
    assert ours == theirs


@pytest.mark.parametrize(
    "data",
    [
        record(7, b"Primary script unknown")
        + answer(b"File not found.\n", "Status: 404 Not Found"),
        answer(b"pong"),
        b"",
    ],
)
async def test_the_same_failure(both: Both, data: bytes) -> None:
    async with fake_fpm(always(data)) as (_, uri):
        ours, theirs = await both(uri)
    assert ours == theirs
    assert f'phpfpm_scrape_failures{{pool="",scrape_uri="{uri}"}} 1' in ours


async def test_what_differs_on_purpose(both: Both) -> None:
    """PHP 7.4's spelling is a seventh state there, for as long as a child is in it."""
    body = page(child(state="Getting request information"))
    async with fake_fpm(always(answer(body))) as (_, uri):
        ours, theirs = await both(uri)
    state = re.compile(r'.*state="Getting request information(s?)"} (.)')
    assert [state.findall(line)[0] for line in ours if state.match(line)] == [
        ("s", "1")
    ]
    assert [state.findall(line)[0] for line in theirs if state.match(line)] == [
        ("", "1"),
        ("s", "0"),
    ]
