"""Asking for the limits: the two pages, when, and what is made of odd answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest
from aiohttp import web

from shipper.http.url import read_url
from shipper.loki.client import PushClient
from shipper.loki.config_page import CONFIG, TENANT_LIMITS
from shipper.loki.headers import Credentials
from shipper.loki.health import Health
from shipper.loki.knowledge import Knowledge
from shipper.loki.learn import PERIOD_SECONDS, TICK_SECONDS, ask, learn
from shipper.loki.loki_limits import UNKNOWN, LokiLimits
from shipper.loki.page import MAX_PAGE_BYTES, Page, page_url, parse_date

from .conftest import PUSH_PATH, Server, Time


LINES = "limits_config:\n  max_line_size: 1KB\n"
FILE = "runtime_config:\n  file: /etc/loki/o.yaml\n"
OWN = "max_line_size: 1MB\n"
DATE = "Sun, 15 Nov 2026 15:00:00 GMT"
DATE_NS = 1_794_754_800 * 10**9


class Pages:
    """A Loki with *pages*; stops the test after some rounds."""

    def __init__(self, pages: Mapping[str, str]) -> None:
        self.pages = pages
        self.asked: list[str] = []
        self.tenant = "mine"

    async def page(self, name: str) -> Page | None:
        self.asked.append(name)
        text = self.pages.get(name)
        return None if text is None else Page(text, DATE_NS)


KNOWN = LokiLimits(line_bytes=1024)
WIDER = LokiLimits(line_bytes=1 << 20)


@pytest.mark.parametrize(
    ("pages", "mine", "other"),
    [
        ({}, UNKNOWN, UNKNOWN),
        ({CONFIG: "<html>"}, UNKNOWN, UNKNOWN),
        ({CONFIG: LINES}, KNOWN, KNOWN),
        ({CONFIG: LINES, TENANT_LIMITS: OWN}, KNOWN, KNOWN),
        # where some tenants have limits of their own, /config is not the whole truth
        ({CONFIG: LINES + FILE}, UNKNOWN, UNKNOWN),
        ({CONFIG: LINES + FILE, TENANT_LIMITS: "<html>"}, UNKNOWN, UNKNOWN),
        ({CONFIG: LINES + FILE, TENANT_LIMITS: OWN}, WIDER, UNKNOWN),
    ],
)
async def test_what_the_pages_say(
    time: Time, pages: dict[str, str], mine: LokiLimits, other: LokiLimits
) -> None:
    knowledge = Knowledge(time)
    knowledge.expect()
    await ask(Pages(pages), knowledge)
    found = [knowledge.bounds(tenant).limits for tenant in ("mine", "other")]
    assert found == [mine, other]
    async with asyncio.timeout(0.5):
        await knowledge.first_answer()


async def rounds(
    monkeypatch: pytest.MonkeyPatch, health: Health, up: list[bool]
) -> list[int]:
    """Return after how many ticks Loki was asked, when *up* says it is there."""
    loki, ticks, asked = Pages({}), 0, []
    states = iter(up)

    def tell(*, there: bool) -> None:
        if there:
            health.reached("lane")
        else:
            health.failed("no", connected=False)

    async def sleep(seconds: float) -> None:
        nonlocal ticks
        assert seconds == TICK_SECONDS
        asked.extend([ticks] * len(loki.asked))
        loki.asked.clear()
        ticks += 1
        there = next(states, None)
        if there is None:
            raise asyncio.CancelledError
        tell(there=there)

    monkeypatch.setattr("shipper.loki.learn.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await learn(loki, health, Knowledge(lambda: 0.0))
    return asked


ROUND = int(PERIOD_SECONDS / TICK_SECONDS)


@pytest.mark.parametrize(
    ("up", "asked"),
    [
        ([True] * 3, [0, 1]),  # at the start, and when it is there
        ([False] * 3 + [True] * 3, [0, 4]),
        ([True] * 2 + [False] + [True] * 2, [0, 1, 4]),
        ([False] * (ROUND + 2), [0, ROUND]),
        ([True] * (2 * ROUND + 2), [0, 1, 1 + ROUND, 1 + 2 * ROUND]),
    ],
)
async def test_when_it_is_asked(
    monkeypatch: pytest.MonkeyPatch, time: Time, up: list[bool], asked: list[int]
) -> None:
    health = Health("loki:3100", time)
    assert await rounds(monkeypatch, health, up) == asked


@pytest.mark.parametrize(
    ("push", "page"),
    [
        ("http://loki:3100/loki/api/v1/push", "http://loki:3100/config"),
        ("https://a/b/loki/api/v1/push", "https://a/b/config"),
        ("http://loki/api/prom/push", "http://loki/config"),
        ("http://loki/loki/api/v1/push?key=a%2Fb", "http://loki/config?key=a%2Fb"),
        ("http://l/a%2Fb/loki/api/v1/push", "http://l/a%2Fb/config"),
        ("http://loki/push", None),
        ("http://loki/loki/api/v1/push/", None),
    ],
)
def test_where_the_page_is(push: str, page: str | None) -> None:
    found = page_url(read_url(push), "config")
    assert (None if found is None else str(found)) == page


@pytest.mark.parametrize(
    ("value", "date_ns"),
    [
        (DATE, DATE_NS),
        ("Sun, 15 Nov 2026 15:00:00 -0000", DATE_NS),
        (None, None),
        ("", None),
        ("yesterday", None),
        ("Sun, 15 Nov 99999 15:00:00 GMT", None),
    ],
)
def test_the_date(value: str | None, date_ns: int | None) -> None:
    assert parse_date(value) == date_ns


# -- over HTTP


async def page(loki: Server, status: int, body: bytes) -> Page | None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers={"Date": DATE})

    loki.handler = answer
    async with PushClient(loki.settings) as client:
        return await client.page("config")


async def test_it_is_asked_with_the_clients_own_credentials(loki: Server) -> None:
    settings = replace(
        loki.settings,
        tenant="team-a",
        headers={"X-Own": "1"},
        credentials=Credentials(username="u", password="p"),
    )
    async with PushClient(settings) as client:
        assert await client.page("config") is None  # it says 204
    ((headers, body),) = loki.requests
    assert headers["X-Scope-OrgID"] == "team-a"
    assert headers["Authorization"].startswith("Basic ")
    assert headers["X-Own"] == "1"
    assert "Content-Type" not in headers
    assert not body


@pytest.mark.parametrize("status", [204, 302, 401, 403, 404, 500, 503])
async def test_another_answer_is_no_page(loki: Server, status: int) -> None:
    assert await page(loki, status, LINES.encode()) is None


async def test_a_page_comes_whole_or_not_at_all(loki: Server) -> None:
    assert await page(loki, 200, b"\xff" + LINES.encode()) == Page(
        "\ufffd" + LINES, DATE_NS
    )
    assert await page(loki, 200, b"x" * MAX_PAGE_BYTES) is not None
    assert await page(loki, 200, b"x" * (MAX_PAGE_BYTES + 1)) is None


async def test_a_page_has_its_deadline(
    loki: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shipper.loki.client.PAGE_TIMEOUT_SECONDS", 0.05)
    never = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        await never.wait()
        return web.Response()

    loki.handler = answer
    async with PushClient(loki.settings) as client:
        assert await client.page("config") is None
    never.set()


async def test_nobody_there_is_no_trouble(loki: Server) -> None:
    gone = replace(loki.settings, url=f"http://127.0.0.1:1{PUSH_PATH}")
    async with PushClient(gone) as client:
        assert await client.page("config") is None


async def test_a_path_that_is_no_lokis_is_not_asked(loki: Server) -> None:
    odd = replace(loki.settings, url=loki.url + "/ingest")
    async with PushClient(odd) as client:
        assert await client.page("config") is None
    assert not loki.requests
