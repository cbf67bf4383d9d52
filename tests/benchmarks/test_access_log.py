from __future__ import annotations

import re

import pytest

from benchmarks import access_log


def test_a_small_run_counts_every_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NGINXLOG_EXPORTER", raising=False)
    assert access_log.main(["600"]) == 0
    assert re.fullmatch(
        r"ours +[0-9.]+ µs of CPU a line, [0-9]+ MiB\n", capsys.readouterr().out
    )


def test_the_lines_are_the_same_each_time() -> None:
    assert list(access_log.requests(3)) == list(access_log.requests(3))
