"""The eight bugs of nginx-prometheus-exporter 1.x: its answer, and ours, side by side.

Each test runs Debian sid's binary where it has the bug ($NGINX_EXPORTER_SID), and both
programs see the same nginx. ``pytest -s tests/nginx/test_bugs.py`` prints the table.
"""

from __future__ import annotations

import asyncio
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.nginx.conftest import (
    RunningExporter,
    Start,
    always,
    fake_nginx,
    page,
    response,
)
from tests.programs import program


pytestmark = pytest.mark.oracle

LISTEN = "--web.listen-address=127.0.0.1:0"
URI = "--nginx.scrape-uri="


@dataclass
class Table:
    """What each program answered, bug by bug."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, bug: str, upstream: str, ours: str) -> None:
        self.rows.append((bug, upstream, ours))

    def text(self) -> str:
        head = ("bug", "upstream 1.5.1", "ours")
        rows = [head, ("---", "---", "---"), *self.rows]
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    rows = Table()
    yield rows
    print(f"\n\n{rows.text()}")


@dataclass(frozen=True)
class Both:
    """Start both programs with the same flags."""

    start: Start

    async def run(
        self, *flags: str, **more: dict[str, str]
    ) -> tuple[RunningExporter, RunningExporter]:
        sid = program("NGINX_EXPORTER_SID", "prometheus-nginx-exporter-1.5", "")
        flags = (LISTEN, *flags)
        theirs = await asyncio.to_thread(self.start, *flags, command=(sid,), **more)
        ours = await asyncio.to_thread(self.start, *flags, **more)
        return theirs, ours


@pytest.fixture
def both(start_exporter: Start) -> Both:
    return Both(start_exporter)


async def _samples(exporter: RunningExporter, name: str) -> dict[str, str]:
    _, text = await exporter.get()
    return dict(re.findall(rf"^{name}(?:\{{(.*)\}})? (\S+)$", text, re.MULTILINE))


def _requests(answers: dict[str, str]) -> list[str]:
    return [answers[name] for name in sorted(answers)]


async def _log(exporter: RunningExporter) -> str:
    await asyncio.to_thread(exporter.stop)
    return "".join(exporter.log)


class Hung:
    """Answer only when released."""

    def __init__(self) -> None:
        self.release = asyncio.Event()

    async def answer(self, writer: asyncio.StreamWriter) -> None:
        await self.release.wait()
        writer.write(response(page()))


async def test_1_the_timeout_has_no_effect(both: Both, table: Table) -> None:
    hung = Hung()
    async with fake_nginx(hung.answer) as (_, uri):
        theirs, ours = await both.run(URI + uri, "--nginx.timeout=200ms")
        assert await _samples(ours, "nginx_up") == {"": "0"}
        waiting = asyncio.create_task(_samples(theirs, "nginx_up"))
        done, _ = await asyncio.wait([waiting], timeout=2)
        assert not done, "ten times the limit, and no answer"
        hung.release.set()
        assert await waiting == {"": "1"}
    assert 'error="no complete answer within 0.2s"' in await _log(ours)
    table.add(
        "1. --nginx.timeout=200ms, nginx hangs",
        "no answer after 2 s; when nginx answers at last, nginx_up 1",
        "nginx_up 0 after 0.2 s, the log says why",
    )


async def test_1b_two_scrapes_of_a_slow_nginx(both: Both, table: Table) -> None:
    """Upstream holds a mutex: the second asks when the first has its answer."""
    hung = Hung()
    async with fake_nginx(hung.answer) as (fake, uri):
        theirs, ours = await both.run(URI + uri)
        seen = []
        for exporter in (theirs, ours):
            fake.requests.clear()
            hung.release.clear()
            scrapes = [
                asyncio.create_task(_samples(exporter, "nginx_up")) for _ in range(2)
            ]
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    while len(fake.requests) < 2:
                        fake.asked.clear()
                        await fake.asked.wait()
            seen.append(len(fake.requests))
            hung.release.set()
            assert await asyncio.gather(*scrapes) == [{"": "1"}] * 2
    assert seen == [1, 2]
    table.add(
        "1b. two scrapes at once, nginx is slow",
        "one request after the other: the second scrape takes twice as long",
        "two requests at once",
    )


async def test_2_several_sockets_answer_as_the_last(
    both: Both, table: Table, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        uris = [
            (
                await stack.enter_async_context(
                    fake_nginx(
                        always(response(page(number))),
                        path=tmp_path / f"{number}" if number < 33 else None,
                    )
                )
            )[1]
            for number in (11, 22, 33)
        ]
        # http first, so that upstream's last target is a socket.
        theirs, ours = await both.run(*[URI + uri for uri in reversed(uris)])
        name = "nginx_http_requests_total"
        got, expected = await _samples(theirs, name), {"11", "22", "33"}
        assert set(got.values()) == {"11"}, "three targets, one socket's numbers"
        assert set((await _samples(ours, name)).values()) == expected
    table.add(
        "2. http + two unix sockets, serving 33, 22 and 11",
        f"{', '.join(_requests(got))}: all are the last one's",
        "33, 22, 11: each its own",
    )


@pytest.mark.parametrize("second", ["", "/"])
async def test_3_the_same_uri_twice(
    both: Both, table: Table, start_exporter: Start, second: str
) -> None:
    async with fake_nginx(always(response(page()))) as (_, uri):
        place = uri.removesuffix("/stub_status")
        again = place + second
        sid = program("NGINX_EXPORTER_SID", "prometheus-nginx-exporter-1.5", "")
        flags = (LISTEN, URI + place, URI + again)
        ours = await asyncio.to_thread(start_exporter, *flags)
        assert await _samples(ours, "nginx_up") == {"": "1"}
        if second:  # not the same text, and the same nginx is counted twice
            theirs = await asyncio.to_thread(start_exporter, *flags, command=(sid,))
            assert len(await _samples(theirs, "nginx_up")) == 2
            table.add(
                "3b. http://h and http://h/",
                "two targets: sums count the same nginx twice",
                "one target, no addr label",
            )
            return
        process = await asyncio.create_subprocess_exec(
            sid, *flags, stderr=asyncio.subprocess.PIPE
        )
        _, log = await process.communicate()
        assert b"panic: duplicate metrics collector registration attempted" in log
        table.add(
            "3. the same URI twice",
            f"panic, exit code {process.returncode}",
            "one target, nginx_up 1",
        )


async def test_4_credentials_leak(both: Both, table: Table) -> None:
    async with (
        fake_nginx(always(response(page()))) as (good, a),
        fake_nginx(always(response(b"", "401 Unauthorized"))) as (_, b),
    ):
        given = [uri.replace("//", "//u:sekret@") for uri in (a, b)]
        theirs, ours = await both.run(*[URI + uri for uri in given])
        shown = [(await each.get())[1] + await _log(each) for each in (theirs, ours)]
    assert all("Basic dTpzZWtyZXQ=" in head for head in good.requests)
    found = [text.count("sekret") for text in shown]
    assert found[0] > 2
    assert found[1] == 0
    assert f'nginx_up{{addr="{a}"}} 1\n' in shown[1]
    table.add(
        "4. http://u:sekret@h/",
        f"works; the password is {found[0]} times in /metrics and the log",
        "works; nowhere",
    )


async def test_5_lists_in_the_environment(both: Both, table: Table) -> None:
    async with (
        fake_nginx(always(response(page(1)))) as (first, a),
        fake_nginx(always(response(page(2)))) as (_, b),
    ):
        theirs, ours = await both.run(
            env={"SCRAPE_URI": f"{a},{b}", "CONST_LABELS": "a=b,c=d"}
        )
        got = [await _samples(each, "nginx_up") for each in (theirs, ours)]
    # A real nginx has no such page; this one answers whatever it is asked for.
    assert first.requests[0].startswith(f"GET /stub_status,{b} HTTP/1.1\r\n")
    assert got[0].keys() == {'a="b,c=d"'}
    assert got[1] == {f'a="b",addr="{uri}",c="d"': "1" for uri in (a, b)}
    table.add(
        "5. SCRAPE_URI=a,b CONST_LABELS=a=b,c=d",
        "asks a for /stub_status,b: 404; one label a=&quot;b,c=d&quot;",
        "two targets, nginx_up 1; labels a and c",
    )


async def _refusal(*flags: str) -> str:
    """Return the last line of what ours says when it does not start."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "exporters.nginx", LISTEN, *flags),
        stderr=asyncio.subprocess.PIPE,
    )
    _, log = await process.communicate()
    assert process.returncode == 1
    return log.decode().splitlines()[-1]


async def test_6_what_cannot_work_is_accepted(
    both: Both, table: Table, start_exporter: Start
) -> None:
    sid = program("NGINX_EXPORTER_SID", "prometheus-nginx-exporter-1.5", "")
    async with fake_nginx(always(response(page()))) as (_, uri):
        label = "--prometheus.const-label=bad-label=x"
        for flags in ((URI + uri, label), (URI + "notaurl",), (URI + "unix:",)):
            theirs = await asyncio.to_thread(
                start_exporter, LISTEN, *flags, command=(sid,)
            )
            up = await _samples(theirs, "nginx_up")
            assert up == ({'bad_label="x"': "1"} if label in flags else {"": "0"})
    assert "--prometheus.const-label 'bad-label' is not a label" in await _refusal(
        label
    )
    for text in ("notaurl", "unix:"):
        refusal = await _refusal(URI + text)
        assert f"cannot read --nginx.scrape-uri '{text}': expected http:" in refusal
    table.add(
        "6. const-label bad-label=x; URI notaurl or unix:",
        "label bad_label; starts, nginx_up 0 for ever",
        "does not start: one line says what was read and what is expected",
    )


async def test_7_openmetrics_renames_no_counter(
    both: Both, table: Table, start_exporter: Start
) -> None:
    """A scraper adds _total to a counter without it (#701), so it may not be one."""
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    async with fake_nginx(always(response(page()))) as (_, uri):
        theirs, usual = await both.run(URI + uri)
        asked = await asyncio.to_thread(
            start_exporter, LISTEN, URI + uri, "--web.enable-openmetrics"
        )
        texts = [(await each.get(Accept=accept))[1] for each in (usual, asked)]
        assert "# EOF" not in (await theirs.get(Accept=accept))[1]
    assert "# TYPE nginx_connections_accepted counter\n" in texts[0]
    assert "# EOF" not in texts[0], "text 0.0.4, as upstream"
    assert texts[1].endswith("# EOF\n")
    for name in ("accepted", "handled"):
        assert f"# TYPE nginx_connections_{name} unknown\n" in texts[1]
        assert f"\nnginx_connections_{name} 1" in texts[1]
        assert f"nginx_connections_{name}_total" not in texts[1]
    assert "# TYPE nginx_http_requests counter\n" in texts[1]
    assert "\nnginx_http_requests_total 31.0\n" in texts[1]
    table.add(
        "7. counters without _total, OpenMetrics asked for",
        "text 0.0.4 whatever is asked for",
        "the same; with --web.enable-openmetrics they keep their name, type unknown",
    )


async def test_8_a_colon_in_the_path_of_a_socket(
    both: Both, table: Table, start_exporter: Start, tmp_path: Path
) -> None:
    sid = program("NGINX_EXPORTER_SID", "prometheus-nginx-exporter-1.5", "")
    async with fake_nginx(always(response(page())), path=tmp_path / "a:b") as (_, uri):
        ours = await asyncio.to_thread(start_exporter, LISTEN, URI + uri)
        assert await _samples(ours, "nginx_up") == {"": "1"}
        process = await asyncio.create_subprocess_exec(
            sid, LISTEN, URI + uri, stderr=asyncio.subprocess.PIPE
        )
        _, log = await process.communicate()
    assert process.returncode == 1
    assert b"address for unix domain socket has wrong format" in log
    table.add(
        "8. unix:/a:b:/stub_status", "exits with code 1: wrong format", "nginx_up 1"
    )


async def test_without_a_server_both_start_and_say_why(
    both: Both, table: Table, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    uris = [
        f"http://127.0.0.1:{port}/",
        "http://nginx.invalid/",
        f"unix:{tmp_path}/none.sock:/",
    ]
    theirs, ours = await both.run(*[URI + uri for uri in uris])
    for exporter in (theirs, ours):
        up = await _samples(exporter, "nginx_up")
        assert up == {f'addr="{uri}"': "0" for uri in uris}
    log = await _log(ours)
    for uri, why in zip(
        uris,
        ("Connection refused", "look up host nginx.invalid: ", "No such file"),
        strict=True,
    ):
        (line,) = [each for each in log.splitlines() if f"uri={uri} " in each]
        assert "level=ERROR" in line
        assert why in line
    assert log.count("level=ERROR") == (await _log(theirs)).count("level=ERROR") == 3
    table.add(
        "(start) refused, no such host, no such socket",
        "starts; three nginx_up 0; a line each",
        "the same, a shorter line each",
    )
