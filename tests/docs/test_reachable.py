"""Every page is two clicks from README.md; what pages tell to type is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs").glob("*.md"))
READMES = [ROOT / "README.md", ROOT / "README.fr.md"]
PICTURES = sorted((ROOT / "docs" / "images").glob("*"))
BLOCK = re.compile(r"(?ms)^```(?:sh|console|ini)\n(.*?)^```$")
VARIABLE = re.compile(r"(?m)^(?:# *)?([A-Z][A-Z_]+)=")
# Variables of these pages that are the stack's: lines of deploy/.env.
STACK_PAGES = ("operations", "migration", "troubleshooting", "site")
# Shells' and programs' own.
FOREIGN = {"DOCKER_HOST", "MYSQL_PWD"}


def links(page: Path) -> Iterator[Path]:
    """Yield each file that *page* links to or shows."""
    text = re.sub(r"(?ms)^```.*?^```", "", page.read_text())
    for target in re.findall(r"\]\(([^)\s#]+)", text):
        if "://" not in target:
            yield (page.parent / target).resolve()


def within(clicks: int, start: Path) -> set[Path]:
    """Return the files that are at most *clicks* links away from *start*."""
    seen, edge = {start}, {start}
    for _ in range(clicks):
        pages = [page for page in edge if page.suffix == ".md" and page.exists()]
        edge = {target for page in pages for target in links(page)} - seen
        seen |= edge
    return seen


@pytest.mark.parametrize("start", READMES, ids=lambda page: page.name)
def test_every_page_is_two_clicks_away(start: Path) -> None:
    near = within(2, start)
    assert [page.name for page in DOCS if page not in near] == []


def test_every_page_stands_in_the_index() -> None:
    listed = set(links(ROOT / "docs" / "README.md"))
    pages = [page for page in DOCS if page.name != "README.md"]
    assert [page.name for page in pages if page not in listed] == []


def test_every_picture_is_shown() -> None:
    shown = {target for page in [*READMES, *DOCS] for target in links(page)}
    assert [picture.name for picture in PICTURES if picture not in shown] == []


def _makes(page: Path) -> set[str]:
    text = page.read_text()
    inline = re.findall(r"`(?:\w+=\S+ )*(?:sudo )?make ([a-z]+)", text)
    blocks = "\n".join(BLOCK.findall(text))
    typed = re.findall(r"(?m)^(?:\w+=\S+ )*(?:sudo )?make ([a-z]+)", blocks)
    return {*inline, *typed}


@pytest.mark.parametrize(
    "page", [*READMES, ROOT / "CONTRIBUTING.md", *DOCS], ids=lambda page: page.name
)
def test_what_make_is_asked_for_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"(?m)^([a-z]+):", makefile))
    assert _makes(page) - targets == set()


def test_lines_for_the_settings_are_read_by_somebody() -> None:
    readers = [
        *ROOT.glob("deploy/*.yaml"),
        *ROOT.glob("deploy/stack/**/*.py"),
    ]
    known = "\n".join(path.read_text() for path in readers)
    for name in STACK_PAGES:
        page = ROOT / "docs" / f"{name}.md"
        named = set(VARIABLE.findall("\n".join(BLOCK.findall(page.read_text()))))
        unread = {one for one in named - FOREIGN if not re.search(rf"\b{one}\b", known)}
        assert unread == set(), page.name
