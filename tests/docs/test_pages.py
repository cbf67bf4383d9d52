"""Links and commands of all pages."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.keys import anchor
from shipper.cli import parse_argv
from shipper.logs.flags import parse_argv as parse_logs


ROOT = Path(__file__).parents[2]
PAGES = [
    *ROOT.glob("docs/*.md"),
    ROOT / "benchmarks" / "README.md",
    *(p for p in ROOT.glob("deploy/**/*.md") if ".state" not in p.parts),
    *(
        ROOT / name
        for name in ("README.md", "README.fr.md", "CONTRIBUTING.md", "CHANGELOG.md")
    ),
]
SHIPPER = re.compile(r"(?m)^(?:\$ )?python -m shipper (.+)$")


def _without_code(text: str) -> str:
    return re.sub(r"(?ms)^```.*?^```", "", text)


def _anchors(page: Path) -> set[str]:
    """Return what GitHub calls the headings; of equal ones the second gets -1."""
    seen: Counter[str] = Counter()
    names = set()
    for title in re.findall(r"(?m)^#+ (.*)$", _without_code(page.read_text())):
        name = anchor(title)
        names.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"`[^`\n]*\]\([^`\n]*`", "", _without_code(page.read_text()))
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://")):
            continue
        path, _, name = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        if not other.exists() or (name and name not in _anchors(other)):
            dead.append(target)
    assert dead == []


def _commands() -> Iterator[str]:
    for page in PAGES:
        for block in re.findall(
            r"(?ms)^```(?:sh|console)\n(.*?)^```", page.read_text()
        ):
            yield from SHIPPER.findall(block)


@pytest.mark.parametrize("command", sorted(set(_commands())))
def test_flags_in_commands_exist(command: str) -> None:
    words = shlex.split(command.partition(" < ")[0], comments=True)
    if words[0] == "logs":
        assert parse_logs(words[1:], {}).query or "--list-labels" in words
    else:
        assert parse_argv(words).overrides or parse_argv(words).files
