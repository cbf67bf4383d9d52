"""README.md and README.fr.md: the same commands, addresses, links and pictures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[2]
ENGLISH, FRENCH = "README.md", "README.fr.md"
BLOCK = re.compile(r"(?ms)^```(\w*)\n(.*?)^```$")
ADDRESS = re.compile(r"https?://[^\s|)]+")
# The first link of each is the other one.
OTHER = {ENGLISH: FRENCH, FRENCH: ENGLISH}


def blocks(text: str) -> list[str]:
    """Return each fenced block: its language and lines, without what # explains."""
    found = []
    for language, body in BLOCK.findall(text):
        lines = [re.sub(r"\s+# .*", "", line).rstrip() for line in body.splitlines()]
        found.append("\n".join([language, *lines]))
    return found


def rows(text: str) -> list[str]:
    """Return what no translator touches in each row of a table."""
    lines = [line for line in _prose(text).splitlines() if line.startswith("|")]
    return [" ".join([*_code(line), *ADDRESS.findall(line)]) for line in lines]


def links(text: str) -> list[str]:
    """Return the target of each link and picture."""
    return re.findall(r"\]\(([^)\s]+)\)", _prose(text))


def headings(text: str) -> list[str]:
    """Return how deep each heading is."""
    return re.findall(r"(?m)^(#+) ", _prose(text))


def sections(text: str) -> list[str]:
    """Return the code of each section, sorted: its order is the language's."""
    parts = re.split(r"(?m)^#+ ", _prose(text))
    return [" ".join(sorted(Counter(_code(part)).elements())) for part in parts]


def _prose(text: str) -> str:
    return BLOCK.sub("", text)


def _code(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", text)


PARTS = [blocks, rows, links, headings, sections]


def differences(part: Callable[[str], list[str]], one: str, two: str) -> list[str]:
    """Say where *part* of two texts differs, in words for whoever has to mend it."""
    left, right = part(one), part(two)
    found = [
        f"{ENGLISH}: {a!r}; {FRENCH}: {b!r}"
        for a, b in zip(left, right, strict=False)
        if a != b
    ]
    if len(left) != len(right):
        found.append(f"{ENGLISH} has {len(left)}, {FRENCH} has {len(right)}")
    return found


def _read(name: str) -> str:
    text = (ROOT / name).read_text()
    # Each names the other first.
    assert links(text)[0] == OTHER[name]
    return text.replace(f"]({OTHER[name]})", "]()", 1)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_both_readmes_say_the_same(part: Callable[[str], list[str]]) -> None:
    english = _read(ENGLISH)
    assert len(part(english)) > 3, "nothing was compared"
    assert differences(part, english, _read(FRENCH)) == []


@pytest.mark.parametrize(
    ("part", "before", "after"),
    [
        (blocks, "make test ", "make tests "),
        (blocks, "```diff", "```sh"),
        (rows, "localhost:9093", "localhost:9094"),
        (rows, "`python -m shipper`", "`python -m expediteur`"),
        (links, "docs/operations.md", "docs/exploitation.md"),
        (headings, "\n## Deux", "\n### Deux"),
        (sections, "`make status`", "`make statut`"),
    ],
)
def test_a_difference_is_found(
    part: Callable[[str], list[str]], before: str, after: str
) -> None:
    french = _read(FRENCH)
    assert before in french
    (said,) = differences(part, _read(ENGLISH), french.replace(before, after, 1))
    assert said.startswith(ENGLISH)


def test_a_missing_block_is_found() -> None:
    french = _read(FRENCH)
    shorter = french.replace(f"```{'diff'}", "", 1)
    assert differences(blocks, _read(ENGLISH), shorter)


def test_comments_may_be_translated() -> None:
    assert blocks("```sh\nmake up  # start\n```\n") == blocks(
        "```sh\nmake up   # démarrer\n```\n"
    )
