from __future__ import annotations

import json

import pytest

from benchmarks import pipeline


@pytest.mark.parametrize("name", pipeline.cases())
def test_every_case_runs(name: str) -> None:
    assert pipeline.alone(pipeline.cases()[name], lines=200, rounds=1) > 0


def test_lines_are_what_they_are_called() -> None:
    line = json.loads(pipeline.KINDS["json"](3))
    assert (line["level"], line["app"], line["error"]["code"]) == (
        "error",
        "shop",
        "E3",
    )
    assert json.loads(pipeline.KINDS["docker"](0))["stream"] == "stdout"
    assert pipeline.KINDS["trace"](5).startswith("2026-")


def test_an_unknown_case_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        pipeline.main(["--alone", "nope"])
    assert "nope" in capsys.readouterr().err
