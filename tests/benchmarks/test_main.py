"""A whole run, small; nothing here looks at how long anything took."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import main, processor


ROOT = Path(__file__).parents[2]
ROWS = (
    "CPU per scrape, plain",
    "latency median, plain",
    "latency p99, plain",
    "CPU per scrape, gzip",
    "latency median, gzip",
    "latency p99, gzip",
    "RSS after",
    "anonymous part",
    "start to first 200",
    "CPU until then",
    "body bytes, plain",
    "body bytes, gzip",
    "samples",
)
# These have a ratio for each pair of rounds, and show the range.
PAIRED = ("CPU", "latency median", "start")


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("name", "variables"),
    [("node", ("NODE_EXPORTER",)), ("nginx", ("NGINX_EXPORTER", "NGINX"))],
)
def test_three_scrapes(name: str, variables: tuple[str, ...]) -> None:
    for variable in variables:
        if not os.access(os.environ.get(variable, ""), os.X_OK):
            pytest.skip(f"${variable} names no program: `make unit` sets it")
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", name, "--scrapes=3", "--starts=1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert (run.returncode, run.stderr) == (0, "")
    head, _, text = run.stdout.partition(f"exporters.{name} | ")
    assert "3 scrapes of each kind in 3 rounds" in head
    cells = [re.split(r" {2,}", line.strip()) for line in text.splitlines()]
    rows = {title: rest for title, *rest in cells}
    for title in ROWS:
        ours, original, ratio, *rounds = rows[title]
        assert re.fullmatch(r"[\d,.]+( ms| MiB)?", ours)
        assert re.fullmatch(r"[\d,.]+( ms| MiB)?", original)
        assert float(ratio) > 0
        assert len(rounds) == (title.startswith(PAIRED))


def test_an_original_that_is_missing_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NODE_EXPORTER", "/nonexistent")
    assert main(["node", "--scrapes=1"]) == 1
    expected = "benchmarks: $NODE_EXPORTER: expected a program, got '/nonexistent'"
    assert capsys.readouterr().err.startswith(expected)


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("apache", "expected node or nginx, got 'apache'"),
        ("--scrapes=0", "expected a number above 0, got '0'"),
        ("--rounds=x", "expected a number above 0, got 'x'"),
    ],
)
def test_a_wrong_argument(
    argument: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([argument])
    assert says in capsys.readouterr().err


def test_processor() -> None:
    text = "processor\t: 0\nmodel name\t: AMD EPYC\n"
    assert processor(text) == "AMD EPYC"
    assert processor("Hardware : BCM2835\n") == "unnamed CPU"
