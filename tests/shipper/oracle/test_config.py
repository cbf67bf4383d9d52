"""Side by side with the real promtail: which configurations are taken."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from shipper.cli import main
from tests.shipper.oracle.conftest import promtail_path


CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "configs.yaml").read_text()
)
CLIENT = "clients: [{url: 'http://127.0.0.1:1/push'}]"
JOB = (
    "scrape_configs: [{job_name: a, static_configs: [{targets: [localhost], "
    "labels: {__path__: /nope}}]}]"
)
STAGES = (
    "scrape_configs:\n- job_name: a\n  static_configs: [{targets: [localhost], "
    "labels: {__path__: /nope}}]\n  pipeline_stages:"
)
RULE = (
    "scrape_configs:\n- job_name: a\n  static_configs: [{targets: [localhost], "
    "labels: {__path__: /nope}}]\n  relabel_configs:\n  -"
)
WORDS = {"CLIENT": CLIENT, "JOB": JOB, "STAGES": STAGES, "RULE": RULE}


async def _theirs(path: Path) -> tuple[bool, str]:
    """Start the real one on nothing to read; it ends by itself."""
    promtail = promtail_path()
    if promtail is None:
        pytest.skip(
            "PROMTAIL names no promtail to compare with; ours gave no traceback"
        )
    process = await asyncio.create_subprocess_exec(
        promtail,
        f"-config.file={path}",
        "-stdin",
        "-dry-run",
        "-server.disable",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(20):
        out, _ = await process.communicate()
    return process.returncode == 0, out.decode()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
async def test_same_verdict(
    case: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = case["text"]
    for word, stands_for in WORDS.items():
        text = text.replace(word, stands_for)
    path = tmp_path / "promtail.yaml"
    path.write_text(text)
    ours = main(["-check-syntax", f"-config.file={path}"], {}) == 0
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert ours or f"{path}:" in told, "file:line:col of what is wrong"
    theirs, log = await _theirs(path)
    if "differs" in case:
        assert ours != theirs, "the two agree: no longer a difference"
    else:
        assert ours == theirs, f"{told}\n{log}"
