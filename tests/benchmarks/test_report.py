"""A run goes into a file and comes out the same, and into the page."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, strategies

from benchmarks import page
from benchmarks.part import Section
from benchmarks.process import BenchmarkError
from benchmarks.report import Report, read, rows_from_json, rows_to_json, section_text
from benchmarks.summary import Row, Target, paired
from benchmarks.units import NAMED, mebibytes, milliseconds


CPU = paired("CPU per scrape", [0.001, 0.003], [0.004, 0.004], milliseconds)
ROWS = (
    CPU.aim(Target(0.4)),
    Row("  anonymous | part", 2**20, 2**21, mebibytes),
    Row("RSS", 9 * 2**20, math.nan, mebibytes).aim(Target(1.5, 36 * 2**20)),
)
REPORT = Report(
    ["2 x CPU"], [Section("node", "theirs 1.0", "theirs", ROWS)], ["x: no root"]
)
TEXT = """\
work                     measure             ours   theirs  ratio   by round           target
node, beside theirs 1.0  CPU per scrape   2.00 ms  4.00 ms   0.50  0.25-0.75            ≤ 0.4  missed
node, beside theirs 1.0  RSS             9.00 MiB        -      -             ≤ 1.5, ≤ 36 MiB    open
left out: x: no root"""  # noqa: E501


def test_the_summary_has_the_rows_with_a_target() -> None:
    assert REPORT.text() == TEXT


def test_a_run_that_measured_nothing() -> None:
    assert Report(left_out=["all: no root"]).text() == "left out: all: no root"


def test_a_section_has_all_rows() -> None:
    text = section_text(REPORT.sections[0])
    assert text.startswith("node, beside theirs 1.0\ntheirs\n")
    assert all(row.title in text for row in ROWS)


def test_a_file_gives_the_same_run(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    REPORT.write(file)
    assert read(file).text() == TEXT
    content = json.loads(file.read_text(), parse_constant=pytest.fail)
    assert [row["ratio"] for row in content["sections"][0]["rows"]] == [0.5, 0.5, None]


finite = strategies.floats(allow_nan=False, allow_infinity=False)
targets = strategies.builds(
    Target,
    ratio=finite | strategies.just(math.inf),
    ours=finite | strategies.just(math.inf),
    at_least=finite | strategies.just(-math.inf),
)


@given(
    strategies.builds(
        Row,
        strategies.text(),
        finite,
        finite,
        strategies.sampled_from(list(NAMED.values())),
        strategies.lists(finite, max_size=4).map(tuple),
        strategies.none() | targets,
    )
)
def test_any_row_comes_back(row: Row) -> None:
    assert rows_from_json(json.loads(json.dumps(rows_to_json([row])))) == [row]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected the JSON of a run: Expecting value"),
        ("[]", "expected what --json wrote"),
        ("{}", "expected what --json wrote, got something else: KeyError('about')"),
        (
            '{"about": [], "sections": [1], "left_out": [], "failed": []}',
            "expected what --json",
        ),
        (
            '{"about": [], "sections": 1, "left_out": [], "failed": []}',
            "expected what --json",
        ),
    ],
)
def test_another_file_is_one_line(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_text(text)
    with pytest.raises(BenchmarkError) as raised:
        read(file)
    assert str(raised.value).startswith(f"{file}: ")
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="No such file"):
        read(tmp_path / "none.json")


def test_the_page_gets_the_table_between_its_markers() -> None:
    text = f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n"
    found = page.with_run(text, REPORT)
    assert found.startswith(f"before\n{page.BEGIN}\n\n| work | measure | ours |")
    assert found.endswith(f"{page.END}\nafter\n")
    assert "old" not in found
    assert "| 2.00 ms | 4.00 ms | 0.50 | 0.25-0.75 | ≤ 0.4 | missed |\n" in found
    assert "- left out: x: no root\n" in found
    assert page.with_run(found, REPORT) == found


def test_a_page_without_markers() -> None:
    with pytest.raises(BenchmarkError, match=r"README\.md: expected '<!-- The table"):
        page.with_run("nothing", REPORT)


def test_the_page_has_its_markers() -> None:
    text = page.PAGE.read_text()
    assert page.with_run(text, REPORT)


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme, file = tmp_path / "README.md", tmp_path / "run.json"
    readme.write_text(f"{page.BEGIN}{page.END}")
    monkeypatch.setattr(page, "PAGE", readme)
    REPORT.write(file)
    assert page.main([str(file)]) == 0
    assert "CPU per scrape" in readme.read_text()
    assert page.main([str(readme)]) == 1
    assert capsys.readouterr().err.startswith(f"benchmarks.page: {readme}: expected")
    assert page.main([]) == 2
