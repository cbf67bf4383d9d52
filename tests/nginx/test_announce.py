"""What the log says at the start of what will be asked and read."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from exporters.nginx.announce import SHOWN, announce
from tests.nginx.conftest import Start


def test_of_many_the_first_and_how_many_more(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    announce("Asking nginx", [])
    assert not caplog.records
    announce("Asking nginx", (f"http://web{number}/" for number in range(SHOWN + 5)))
    (record,) = caplog.records
    fields = record.__dict__["fields"]
    assert fields["targets"].endswith(f", http://web{SHOWN - 1}/")
    assert fields["more"] == 5


async def test_every_part_says_what_it_reads(
    start_exporter: Start, tmp_path: Path
) -> None:
    exporter = await asyncio.to_thread(
        start_exporter,
        "--web.listen-address=127.0.0.1:0",
        "--nginx.scrape-uri=http://u:sekret@web1/stub_status,http://web2/stub_status",
        "--fpm.scrape-uri=tcp://wordpress:9001/fpm-status",
        "--accesslog.syslog-listen=udp://127.0.0.1:0",
        f"--accesslog.file={tmp_path}/access.log",
        "--probe.allow=10.0.0.0/8,http://u:sekret@*.example/",
    )
    log = "".join(exporter.log)
    for line in (
        'msg="Asking nginx" targets="http://web1/stub_status, http://web2/stub_status"',
        'msg="Asking php-fpm" targets=tcp://wordpress:9001/fpm-status',
        f'msg="Reading access logs" targets="udp://127.0.0.1:0, {tmp_path}/access.log"',
        f'msg="No access log is there yet" files={tmp_path}/access.log',
        'what is allowed" targets="10.0.0.0/8, http://*.example/"',
    ):
        assert line in log
    assert "sekret" not in log


async def test_nothing_is_said_of_what_is_off(start_exporter: Start) -> None:
    exporter = await asyncio.to_thread(
        start_exporter,
        "--web.listen-address=127.0.0.1:0",
        "--nginx.scrape-uri=",
        "--probe.allow=10.0.0.0/8",
    )
    log = "".join(exporter.log)
    assert 'nginx" targets' not in log
    assert "php-fpm" not in log
    assert "access log" not in log
