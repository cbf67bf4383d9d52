"""What a check finds: sentences, some of which say that something is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Finding(NamedTuple):
    """One sentence or two; *wrong* is what somebody has to put right."""

    wrong: bool
    text: str


def wrong(text: str) -> Finding:
    """Return a finding that makes the check fail."""
    return Finding(True, text)


def note(text: str) -> Finding:
    """Return a finding that is worth knowing, and nobody's fault."""
    return Finding(False, text)


def report(findings: Sequence[Finding]) -> str:
    """Return *findings* as text, a line each: what is wrong, notes, the sum."""
    ordered = sorted(findings, key=lambda finding: not finding.wrong)
    lines = [f"{'wrong' if f.wrong else 'note'}: {_one_line(f.text)}" for f in ordered]
    count = sum(finding.wrong for finding in findings)
    if count == 0:
        summary = "Nothing is wrong."
    else:
        summary = f"{count} {'thing is' if count == 1 else 'things are'} wrong."
    return "".join(f"{line}\n" for line in (*lines, summary))


def _one_line(text: str) -> str:
    return " ".join(text.split())
