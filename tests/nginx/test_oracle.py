"""Side by side with Debian's two prometheus-nginx-exporter at the same nginx.

bookworm's is 0.11.0 ($NGINX_EXPORTER), sid's 1.5.1 ($NGINX_EXPORTER_SID).
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from tests.nginx.conftest import RealNginx, RunningExporter, Start, page
from tests.programs import program


pytestmark = pytest.mark.oracle

LISTEN = "--web.listen-address=127.0.0.1:0"
URI = "--nginx.scrape-uri="
LABEL = "--prometheus.const-label="

# Left out of the comparison: the program itself, not nginx, is what they describe.
OWN = re.compile(r"(nginx_?exporter_build_info|go_|process_|promhttp_)")


def _about_nginx(text: str) -> str:
    """Return the lines of *text* that are about nginx: HELP, TYPE and samples."""
    lines = text.splitlines(keepends=True)
    return "".join(
        line for line in lines if not OWN.match(re.sub(r"^# (HELP|TYPE) ", "", line))
    )


@dataclass(frozen=True)
class Programs:
    """Start one of the three programs, with flags as 1.x spells them."""

    start: Start

    async def ours(self, *flags: str) -> RunningExporter:
        return await asyncio.to_thread(self.start, LISTEN, *flags)

    async def sid(self, *flags: str) -> RunningExporter:
        binary = program("NGINX_EXPORTER_SID", "prometheus-nginx-exporter-1.5", "")
        return await asyncio.to_thread(self.start, LISTEN, *flags, command=(binary,))

    async def bookworm(self, *flags: str) -> RunningExporter:
        binary = program("NGINX_EXPORTER", "prometheus-nginx-exporter", "/usr/bin")
        # It does not say which port it took, so it cannot be given port 0.
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        labels = [each.removeprefix(LABEL) for each in flags if each.startswith(LABEL)]
        exporter = await asyncio.to_thread(
            self.start,
            *[each for each in flags if not each.startswith(LABEL)],
            f"-web.listen-address=127.0.0.1:{port}",
            f"-prometheus.const-labels={','.join(labels)}",
            command=(binary,),
            started="has successfully started",
        )
        return replace(exporter, url=f"http://127.0.0.1:{port}")


@pytest.fixture
def programs(start_exporter: Start) -> Programs:
    return Programs(start_exporter)


Flags = Callable[[RealNginx], list[str]]

ONE_URI: dict[str, Flags] = {
    "http": lambda nginx: [f"{URI}{nginx.url}/constant"],
    "unix": lambda nginx: [f"{URI}unix:{nginx.socket}:/constant"],
    "const labels": lambda nginx: [
        f"{URI}{nginx.url}/constant",
        f"{LABEL}zone=a",
        f"{LABEL}env=prod",
    ],
    "redirect": lambda nginx: [f"{URI}{nginx.url}/moved"],
}
SEVERAL: dict[str, Flags] = {
    "two": lambda nginx: [
        f"{URI}{nginx.url}/constant?b",
        f"{URI}{nginx.url}/constant?a",
    ],
    "two of four down, const labels": lambda nginx: [
        f"{URI}{nginx.url}/forbidden",
        f"{URI}{nginx.url}/constant",
        f"{URI}{nginx.url}/html",
        f"{URI}{nginx.url.replace('127.0.0.1', 'localhost')}/constant",
        f"{LABEL}zone=a",
        f"{LABEL}addr=mine",
    ],
    "down": lambda nginx: [f"{URI}{nginx.url}/forbidden"],
    "label values": lambda nginx: [
        f"{URI}{nginx.url}/constant",
        f'{LABEL}quoted=say "hi" \\ and é',
        f"{LABEL}empty=",
        f"{LABEL}colon:a=b",
    ],
}


@pytest.mark.parametrize("flags", ONE_URI.values(), ids=ONE_URI)
async def test_the_text_is_bookworms(
    programs: Programs, real_nginx: RealNginx, flags: Flags
) -> None:
    given = flags(real_nginx)
    theirs, ours = await programs.bookworm(*given), await programs.ours(*given)
    text = _about_nginx((await ours.get())[1])
    moved = "/moved" in given[0]  # to the real page, whose numbers move on
    assert _still(text, moved) == _still(_about_nginx((await theirs.get())[1]), moved)
    assert text.count("\n") == 3 * 8


@pytest.mark.parametrize(
    "flags", [*ONE_URI.values(), *SEVERAL.values()], ids=[*ONE_URI, *SEVERAL]
)
async def test_the_text_is_sids(
    programs: Programs, real_nginx: RealNginx, flags: Flags
) -> None:
    given = flags(real_nginx)
    theirs, ours = await programs.sid(*given), await programs.ours(*given)
    text = _about_nginx((await ours.get())[1])
    moved = "/moved" in given[0]
    assert _still(text, moved) == _still(_about_nginx((await theirs.get())[1]), moved)
    assert "nginx_up" in text


def _still(text: str, moved: bool) -> str:
    return re.sub(r" \d+$", " N", text, flags=re.MULTILINE) if moved else text


def _numbers(text: str) -> dict[str, float]:
    pairs = re.findall(r"^(nginx_[a-z_]+) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in pairs}


async def test_the_numbers_are_the_same_nginxs(
    programs: Programs, real_nginx: RealNginx
) -> None:
    """All three keep their connection, so after one round only the requests move."""
    flag = f"{URI}{real_nginx.url}/stub_status"
    exporters = [
        await programs.bookworm(flag),
        await programs.sid(flag),
        await programs.ours(flag),
    ]
    for each in exporters:
        await each.get()
    read = [_numbers((await each.get())[1]) for each in exporters]
    requests = [each.pop("nginx_http_requests_total") for each in read]
    assert requests == [requests[0], requests[0] + 1, requests[0] + 2]
    assert read[0] == read[1] == read[2]
    assert read[0]["nginx_connections_accepted"] == 3


def test_the_constant_page_is_one(real_nginx: RealNginx) -> None:
    assert page().decode().splitlines()[0] in real_nginx.conf.read_text()
