"""Side by side with the real promtail: ``-config.expand-env``."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from exporters.toolkit.errors import StartError
from shipper.config.load import parse
from tests.shipper.oracle.conftest import promtail_path


ENVIRON = {
    "A": "alpha",
    "PATHS": "/a/b/c.txt",
    "EMPTY": "",
    "N": "12",
    "MIX": "aBc dEf",
}
EXPRESSIONS = """\
${A}
$A
$$A
$${A}
${A}${NOPE}
${NOPE:-dflt}
${A:-dflt}
${EMPTY:-dflt}
${EMPTY-dflt}
${NOPE-dflt}
${NOPE:=x}
${NOPE=x}
${A:+yes}
${NOPE:+yes}
${NOPE:?no}
${NOPE:-${A}}
${NOPE:-}
${#A}
${A:1}
${A:1:2}
${A:0:99}
${A:-1}
${PATHS##*/}
${PATHS#*/}
${PATHS%/*}
${PATHS%%/*}
${PATHS/a/X}
${PATHS//\\//_}
${PATHS/#\\/a/X}
${PATHS/%txt/X}
${A^}
${A^^}
${MIX,}
${MIX,,}
${A
}
${}
${A B}
${1}
$1
a\\\\b
$$$$
${A:-$$}
${NOPE:-a b c}
${NOPE:-http://x:80/y}
${N}
""".splitlines()


def _config(expression: str) -> str:
    return (
        "clients: [{url: 'http://127.0.0.1:1/push'}]\n"
        "scrape_configs:\n- job_name: a\n  static_configs:\n  - labels:\n"
        f"      v: 'x{expression}x'\n"
    )


async def _theirs(promtail: str, path: Path) -> str | None:
    process = await asyncio.create_subprocess_exec(
        promtail,
        f"-config.file={path}",
        *("-config.expand-env", "-stdin", "-dry-run", "-server.disable"),
        env=ENVIRON,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"line\nlast\n")
    try:
        async with asyncio.timeout(5):
            while text := (await process.stdout.readline()).decode():
                if found := re.search(r' v=("(?:[^"\\]|\\.)*")\}', text):
                    return str(json.loads(found[1]))
        return None
    finally:
        process.stdin.close()
        await process.wait()


def _ours(text: str) -> str | None:
    try:
        config, _ = parse(text.encode(), "c.yaml", ENVIRON)
    except StartError:
        return None
    return config.scrape_configs[0].static_configs[0].labels["v"]


@pytest.mark.parametrize("expression", EXPRESSIONS)
async def test_same_text(expression: str, tmp_path: Path) -> None:
    promtail = promtail_path()
    if promtail is None:
        pytest.skip("PROMTAIL names no promtail to compare with")
    path = tmp_path / "c.yaml"
    path.write_text(
        _config(expression).replace("labels:\n", "labels:\n      __path__: /x\n")
    )
    text = path.read_text()
    theirs = await _theirs(promtail, path)
    assert _ours(text) == theirs
