"""`python -m benchmarks.page FILE`: the table of a run into benchmarks/README.md.

FILE is what `python -m benchmarks --json FILE` wrote. What stands between the two
markers is replaced.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks.process import BenchmarkError
from benchmarks.report import Report, read
from benchmarks.summary import table


PAGE: Final = Path(__file__).with_name("README.md")
BEGIN: Final = "<!-- The table of a run: written by python -m benchmarks.page -->"
END: Final = "<!-- The end of the table -->"


def main(argv: Sequence[str]) -> int:
    """Write the table of the run in the named file; a problem is one line."""
    if len(argv) != 1:
        print("benchmarks.page: expected one file, of --json", file=sys.stderr)
        return 2
    try:
        PAGE.write_text(with_run(PAGE.read_text(), read(Path(argv[0]))))
    except BenchmarkError as error:
        print(f"benchmarks.page: {error}", file=sys.stderr)
        return 1
    return 0


def with_run(page: str, report: Report) -> str:
    """Return *page* with *report* between its markers; raises BenchmarkError."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BenchmarkError(f"{PAGE.name}: expected {BEGIN!r} and {END!r} in it")
    return f"{before}{BEGIN}\n\n{markdown(report)}\n{END}{after}"


def markdown(report: Report) -> str:
    """Return a run as Markdown: the rows with a target, the machine, all rows."""
    return "".join(f"{line}\n" for line in _markdown_lines(report))


def _markdown_lines(report: Report) -> Iterator[str]:
    headings, *lines = report.lines()
    yield _cells([heading or "met?" for heading in headings])
    yield _cells(["---", "---", *(["---:"] * (len(headings) - 3)), "---"])
    for line in lines:
        yield _cells(line)
    yield ""
    yield from (f"- {each}" for each in report.missing())
    yield ""
    yield from _folded("The whole run", report)


def _folded(title: str, report: Report) -> Iterator[str]:
    yield from ("<details>", f"<summary>{title}</summary>", "", "```")
    yield from report.about
    for section in report.sections:
        yield from ("", f"{section.title}, beside {section.peer}")
        yield from section.about.splitlines()
        yield table(section.rows)
    yield from ("```", "", "</details>")


def _cells(cells: Iterable[str]) -> str:
    escaped = [cell.replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
