"""A whole run, small; nothing here looks at how long anything took."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import __main__, nginx, node
from benchmarks.__main__ import main
from benchmarks.part import Section, Setting
from benchmarks.report import read
from benchmarks.summary import Row
from benchmarks.units import count


ROOT = Path(__file__).parents[2]
SMALL = ("--scrapes=3", "--starts=1")
VARIABLES = ("NODE_EXPORTER_SID", "NODE_EXPORTER_MASTER", "NGINX_EXPORTER_SID")
# These have a ratio for each pair of rounds; p99 of three scrapes has none.
PAIRED = ("CPU", "  CPU", "  latency median", "start", "wall")
SCRAPES = (
    "CPU per scrape, plain",
    "  latency median, plain",
    "  latency p99, plain",
    "CPU per scrape, gzip",
    "  latency median, gzip",
    "  latency p99, gzip",
)
SIZES = ("body bytes, plain", "body bytes, gzip", "samples")


def whole(scraped: int) -> set[str]:
    return {
        *SCRAPES,
        *SIZES,
        f"RSS after {scraped} scrapes",
        "  anonymous part",
        "start to first 200",
        "  CPU until then",
    }


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("part", "variables", "rows"),
    [
        ("node", ("NODE_EXPORTER",), whole(6)),
        ("nginx", ("NGINX_EXPORTER", "NGINX"), whole(24)),
        (
            "targets",
            ("NGINX_EXPORTER_SID", "NGINX"),
            {
                "wall time of a scrape",
                "CPU per scrape, gzip",
                "RSS after 1 scrapes",
                "  anonymous part",
                "samples",
            },
        ),
    ],
)
def test_three_scrapes(
    part: str, variables: tuple[str, ...], rows: set[str], tmp_path: Path
) -> None:
    for variable in variables:
        if not os.access(os.environ.get(variable, ""), os.X_OK):
            pytest.skip(f"${variable} names no program: `make unit` sets it")
    # The others would be compared with, too.
    environ = {
        name: value
        for name, value in os.environ.items()
        if name in variables or name not in VARIABLES
    }
    file = tmp_path / "run.json"
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", part, *SMALL, f"--json={file}"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert (run.returncode, run.stderr) == (0, "")
    section, *_ = read(file).sections
    assert {row.title for row in section.rows} == rows
    assert all(row.ours > 0 and row.original > 0 for row in section.rows)
    for row in section.rows:
        assert row.title in run.stdout
        assert bool(row.rounds) == row.title.startswith(PAIRED)


def test_what_cannot_run_is_left_out_of_all_parts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for variable in ("NODE_EXPORTER", "NGINX_EXPORTER", "NGINX", *VARIABLES):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(__main__, "PARTS", {"node": node.sections, "one": nginx.one})
    file = tmp_path / "run.json"
    assert main([f"--json={file}"]) == 0
    said = capsys.readouterr().out
    assert "left out: node: $NODE_EXPORTER: expected a program, got ''" in said
    assert "left out: one: $NGINX_EXPORTER: expected a program" in said
    assert len(read(file).left_out) == 2
    # For who asks for it by name that is a failure.
    assert main(["node"]) == 1
    assert "benchmarks: $NODE_EXPORTER: expected" in capsys.readouterr().err


def test_the_others_go_on_after_one_that_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def works(_: Setting) -> Iterator[Section]:
        yield Section("fine", "theirs", "", (Row("CPU", 1.0, 2.0, count),))

    monkeypatch.setenv("NODE_EXPORTER", "/nonexistent")
    parts = {"node": node.sections, "works": works}
    monkeypatch.setattr(__main__, "PARTS", parts)
    assert main([]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("benchmarks: $NODE_EXPORTER: expected a program")
    assert "fine, beside theirs" in said.out
    assert "failed: node: $NODE_EXPORTER" in said.out


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
        ("apache", "expected one of node, devices, nginx, targets, shipper, "),
        ("--scrapes=0", "expected a number above 0, got '0'"),
        ("--rounds=x", "expected a number above 0, got 'x'"),
        ("--json=/nonexistent/x", "expected a file to write, got '/nonexistent/x'"),
        ("--json=/tmp", "expected a file to write, got '/tmp'"),
    ],
)
def test_a_wrong_argument(
    argument: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([argument])
    assert says in capsys.readouterr().err
