"""A whole run: what was measured, as text, and as JSON for other programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.part import Section
from benchmarks.process import BenchmarkError
from benchmarks.summary import Row, Target, aligned, table
from benchmarks.units import NAMED


HEADINGS = ("work", "measure", "ours", "theirs", "ratio", "by round", "target", "")


@dataclass(slots=True)
class Report:
    """Lines about the machine, the sections, what was left out and what failed."""

    about: list[str] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def lines(self) -> list[tuple[str, ...]]:
        """Return the lines of the summary: all rows that have a target."""
        return [HEADINGS, *_lines(self.sections)]

    def text(self) -> str:
        """Return the summary as it is printed at the end of a run."""
        lines = self.lines()
        parts = [aligned(lines, left=2)] if len(lines) > 1 else []
        return "\n".join(parts + self.missing())

    def missing(self) -> list[str]:
        """Return a line for each part that is not in the table, and why."""
        left_out = [f"left out: {each}" for each in self.left_out]
        return left_out + [f"failed: {each}" for each in self.failed]

    def write(self, file: Path) -> None:
        """Write this as JSON."""
        content = {
            "about": self.about,
            "sections": [_from_section(section) for section in self.sections],
            "left_out": self.left_out,
            "failed": self.failed,
        }
        file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _lines(sections: Iterable[Section]) -> Iterable[tuple[str, ...]]:
    for section in sections:
        work = f"{section.title}, beside {section.peer}"
        for row in section.rows:
            if row.target:
                title, *cells = row.cells()
                yield (work, title.strip(), *cells)


def section_text(section: Section) -> str:
    """Return a section with all its rows as it is printed."""
    head = f"{section.title}, beside {section.peer}\n{section.about}"
    return f"{head.strip()}\n{table(section.rows)}"


def read(file: Path) -> Report:
    """Return the run in *file*; raises BenchmarkError for another content."""
    try:
        content = json.loads(file.read_text())
        return Report(
            [str(line) for line in content["about"]],
            [_to_section(section) for section in content["sections"]],
            [str(line) for line in content["left_out"]],
            [str(line) for line in content["failed"]],
        )
    except (OSError, ValueError) as error:
        raise BenchmarkError(f"{file}: expected the JSON of a run: {error}") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise BenchmarkError(
            f"{file}: expected what --json wrote, got something else: {error!r}"
        ) from None


def _from_section(section: Section) -> dict[str, Any]:
    return {
        "title": section.title,
        "peer": section.peer,
        "about": section.about,
        "rows": rows_to_json(section.rows),
    }


def _to_section(content: Mapping[str, Any]) -> Section:
    rows = tuple(rows_from_json(content["rows"]))
    title, peer, about = (str(content[key]) for key in ("title", "peer", "about"))
    return Section(title, peer, about, rows)


def rows_to_json(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return *rows* as values for JSON, which has no infinity and no NaN: null."""
    return [
        {
            "title": row.title,
            "ours": row.ours,
            "original": _or_null(row.original),
            "unit": row.show.name,
            "rounds": list(row.rounds),
            "ratio": _or_null(row.ratio),
            "target": [_or_null(value) for value in row.target] if row.target else None,
            "verdict": row.verdict,
        }
        for row in rows
    ]


def rows_from_json(content: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return the rows again; raises KeyError, TypeError or ValueError."""
    return [
        Row(
            str(each["title"]),
            float(each["ours"]),
            _number(each["original"], math.nan),
            NAMED[each["unit"]],
            tuple(float(ratio) for ratio in each["rounds"]),
            _target(each["target"]),
        )
        for each in content
    ]


def _target(content: Sequence[float | None] | None) -> Target | None:
    if content is None:
        return None
    ratio, ours, at_least = content
    return Target(
        _number(ratio, math.inf), _number(ours, math.inf), _number(at_least, -math.inf)
    )


def _or_null(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: float | None, missing: float) -> float:
    return missing if value is None else float(value)
