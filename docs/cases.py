"""Differences that a test states beside the real promtail, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml


ORACLE: Final = Path(__file__).parents[1] / "tests" / "shipper" / "oracle"


class Difference(NamedTuple):
    """A case of ``tests/shipper/oracle`` in which the two are meant to differ."""

    about: str
    case: str
    reason: str


def table() -> Iterator[str]:
    """Yield the rows of the table, in the order of the files."""
    yield "| about | case | what differs |"
    yield "|---|---|---|"
    for one in found(ORACLE):
        about, case, reason = (_cell(text) for text in one)
        yield f"| {about} | {case} | {reason} |"


def found(folder: Path) -> Iterator[Difference]:
    """Yield the cases below *folder* that say ``differs``."""
    for path in [*sorted(folder.glob("cases/*.yaml")), folder / "configs.yaml"]:
        cases: list[dict[str, Any]] = yaml.safe_load(path.read_text())
        about = "configuration" if path.parent == folder else f"`{path.stem}`"
        for case in cases:
            if reason := case.get("differs"):
                yield Difference(about, case["name"], reason)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")
