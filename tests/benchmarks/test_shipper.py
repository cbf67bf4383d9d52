"""The arithmetic of the benchmark of shippers; no time is looked at."""

from __future__ import annotations

import json
import shutil
import subprocess
from math import isnan
from pathlib import Path

import pytest

from benchmarks.shipper import main, rate
from benchmarks.shipper_containers import JSON, PLAIN, writer
from benchmarks.shipper_programs import PIPELINE, configuration
from benchmarks.shipper_sink import Received, Store, count_lines
from benchmarks.shipper_table import Column, show
from exporters.toolkit.decode import decode
from shipper.config.model import Config
from shipper.loki.encode import encode_push
from shipper.pipeline.entry import Entry


def test_the_sink_counts_the_lines_of_pushes() -> None:
    store = Store()
    entries = [Entry(n, b"x" * n, (("a", "b"),)) for n in range(300)]
    for count in (300, 0, 7):
        store.add(encode_push('{a="b"}', entries[:count]))
    assert store.first_at
    taken = store.take()
    assert (taken.lines, taken.pushes) == (307, 3)
    assert store.take() == Received(0, 0, 0, 0.0)


def test_what_is_no_push_is_refused() -> None:
    with pytest.raises(ValueError, match="wire type 5"):
        count_lines(b"\x02\x04\x0d\x00")  # snappy of two bytes: field 1, 32 bits


def test_the_rate_leaves_out_the_last_batch() -> None:
    polls = [(1.0, 100), (2.0, 600), (3.0, 970), (9.0, 1000)]
    assert rate(polls) == 435
    assert isnan(rate([(1.0, 1000)]))


@pytest.mark.parametrize(("record", "least"), [(PLAIN, 125), (JSON, 124)])
def test_the_containers_write_lines_of_125_bytes(record: str, least: int) -> None:
    if shutil.which("awk") is None:
        pytest.skip("no awk")
    script = writer(20, record).partition("; exec")[0]
    run = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
    lines = run.stdout.splitlines(keepends=True)
    assert len(set(lines)) == 20
    assert {len(line) for line in lines} <= {least, 125}


def test_the_configuration_is_one_of_promtails(tmp_path: Path) -> None:
    config = configuration(tmp_path, 9080, "http://127.0.0.1:1", "a=b")
    config["scrape_configs"][0]["pipeline_stages"] = list(PIPELINE)
    decoded = decode(json.dumps(config).encode(), Config, "promtail.yaml")
    assert len(decoded.scrape_configs[0].pipeline_stages) == 4


def test_the_table_has_ratios_to_the_first_column() -> None:
    ours = Column("ours", {"CPU": [1.0, 2.0, 3.0], "peak": [10.0]})
    theirs = Column("theirs", {"CPU": [2.0, 8.0, 6.0]})
    assert show([ours, theirs]).splitlines() == [
        "      ours               theirs",
        "CPU      2  6 (0.50, 0.25-0.50)",
        "peak    10",
    ]


def test_a_wrong_argument(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--lines=0"])
    assert "expected a number above 0, got '0'" in capsys.readouterr().err
