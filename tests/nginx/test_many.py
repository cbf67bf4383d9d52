"""Many nginx at one exporter: some hang, some are away, the others must not notice."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.nginx.conftest import Start, fake_nginx, page, response


LISTEN = "--web.listen-address=127.0.0.1:0"


class Farm(list[str]):
    """The URIs of *up* nginx that answer, *hung* that do not, *away* that are none."""

    def __init__(self, up: list[str], hung: list[str], away: list[str]) -> None:
        super().__init__([*hung, *away, *up])
        self.up = up


@asynccontextmanager
async def farm(up: int, hung: int, away: int) -> AsyncIterator[Farm]:
    release = asyncio.Event()

    async def hang(_: asyncio.StreamWriter) -> None:
        await release.wait()

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(response(page()))

    async with fake_nginx(answer) as (_, refused):
        pass
    async with fake_nginx(answer) as (_, good), fake_nginx(hang) as (_, bad):
        yield Farm(
            [f"{good}?{number}" for number in range(up)],
            [f"{bad}?{number}" for number in range(hung)],
            [f"{refused}?{number}" for number in range(away)],
        )
        release.set()


def _up(text: str) -> dict[str, str]:
    return dict(re.findall(r'^nginx_up\{addr="(.*)"\} (\S)$', text, re.MULTILINE))


async def test_a_hundred_some_hung_some_away(start_exporter: Start) -> None:
    async with farm(up=90, hung=10, away=5) as uris:
        exporter = await asyncio.to_thread(
            start_exporter,
            LISTEN,
            "--nginx.timeout=2s",
            env={"SCRAPE_URI": "\n".join(uris)},
        )
        for _ in range(2):  # the second over kept connections
            before = time.monotonic()
            _, text = await exporter.get()
            took = time.monotonic() - before
            assert _up(text) == {uri: "1" if uri in uris.up else "0" for uri in uris}
            # One limit for all that hang, not one each; the rest is this machine.
            assert 2 <= took < 10
    assert await asyncio.to_thread(exporter.stop) == 0
    failed = re.findall(r"level=ERROR .* uri=(\S+)", "".join(exporter.log))
    assert sorted(failed) == sorted(2 * list(set(uris) - set(uris.up)))


@pytest.mark.parametrize(
    ("files", "up", "hung", "limit"), [(1024, 1000, 0, "60s"), (128, 150, 2, "3s")]
)
async def test_more_than_there_are_descriptors(
    start_exporter: Start, files: int, up: int, hung: int, limit: str
) -> None:
    """All are read, in turns, and the scraper still gets in."""
    async with farm(up, hung, away=2) as uris:
        exporter = await asyncio.to_thread(
            start_exporter,
            LISTEN,
            f"--nginx.timeout={limit}",
            command=(
                *("sh", "-c", f'ulimit -n {files} && exec "$@"', "sh"),
                *(sys.executable, "-m", "exporters.nginx"),
            ),
            env={"SCRAPE_URI": "\n".join(uris)},
        )
        for _, text in await asyncio.gather(exporter.get(), exporter.get()):
            assert _up(text) == {uri: "1" if uri in uris.up else "0" for uri in uris}
            assert f"process_max_fds {files}\n" in text
    assert await asyncio.to_thread(exporter.stop) == 0
    assert "Too many open files" not in "".join(exporter.log)
