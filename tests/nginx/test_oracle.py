"""Side by side with Debian's prometheus-nginx-exporter 0.11.0 at the same nginx."""

from __future__ import annotations

import asyncio
import re
import socket
from dataclasses import replace

import pytest

from tests.nginx.conftest import RealNginx, RunningExporter, Start, program


pytestmark = pytest.mark.oracle

# The families that only one of the two has, and why.
ONLY_DEBIAN = {
    "nginxexporter_build_info": "0.x spelling; 1.x says nginx_exporter_build_info",
}
ONLY_OURS = {
    "nginx_exporter_build_info": "1.x spelling",
    "process_": "1.x registers client_golang's process collector",
    "promhttp_": "1.x serves through promhttp.Handler()",
}
LABELS = "--prometheus.const-label"


@pytest.fixture
async def pair(
    real_nginx: RealNginx, start_exporter: Start
) -> tuple[RunningExporter, RunningExporter]:
    debian = program("NGINX_EXPORTER", "prometheus-nginx-exporter", "/usr/bin")
    uri = f"{real_nginx.url}/stub_status"
    ours = await asyncio.to_thread(
        start_exporter,
        "--web.listen-address=127.0.0.1:0",
        f"--nginx.scrape-uri={uri}",
        f"{LABELS}=env=prod",
    )
    # It does not say which port it took, so it cannot be given port 0.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    theirs = await asyncio.to_thread(
        start_exporter,
        f"-nginx.scrape-uri={uri}",
        f"-web.listen-address=127.0.0.1:{port}",
        "-prometheus.const-labels=env=prod",
        command=(debian,),
        started="has successfully started",
    )
    return ours, replace(theirs, url=f"http://127.0.0.1:{port}")


def _families(text: str) -> dict[str, list[str]]:
    """Return HELP, TYPE and samples, by family; the numbers left out."""
    families: dict[str, list[str]] = {}
    for line in text.splitlines():
        match = re.match(r"# (?:HELP|TYPE) (\S+)", line)
        name = match[1] if match else re.split("[{ ]", line)[0]
        shown = line if match else line.rpartition(" ")[0]
        families.setdefault(name, []).append(shown)
    return families


async def test_same_families(pair: tuple[RunningExporter, RunningExporter]) -> None:
    ours, theirs = [_families((await each.get())[1]) for each in pair]
    common = ours.keys() & theirs.keys()
    assert len(common) == 8, "nginx_up and the seven of stub_status"
    for name in common:
        assert ours[name] == theirs[name]
        assert ours[name][2] == f'{name}{{env="prod"}}'
    assert theirs.keys() - common == ONLY_DEBIAN.keys()
    assert all(name.startswith(tuple(ONLY_OURS)) for name in ours.keys() - common)


def _numbers(text: str) -> dict[str, float]:
    pairs = re.findall(r"^(nginx_\w+)\{env=\"prod\"\} (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in pairs}


async def test_same_numbers(pair: tuple[RunningExporter, RunningExporter]) -> None:
    """Both keep their connection, so after one round only the requests move."""
    for each in pair:
        await each.get()
    ours, theirs = [_numbers((await each.get())[1]) for each in pair]
    assert theirs.pop("nginx_http_requests_total") == (
        ours.pop("nginx_http_requests_total") + 1
    )
    assert ours == theirs
