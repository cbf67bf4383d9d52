"""Print metrics in text format 0.0.4, byte for byte as Go does.

prometheus_client's `generate_latest` prints ``5.0`` where Go prints ``5``.
Upstream counterpart: prometheus/common ``expfmt/text_create.go``.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable

from .escaping import Escaping, legal_name
from .exposed import Exposed
from .gathering import Report, gather, kind_of
from .gotext import format_float
from .pages import Pages
from .textform import Style, TextForm, title


__all__ = ["CONTENT_TYPE", "encode", "legal_name", "to_utf8"]

# Names that are not legal before UTF-8 names are written with underscores.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n"})


def _ignore(problem: str) -> None:
    """Take a problem nobody asked about."""


def encode(
    metrics: Iterable[Exposed],
    report: Report = _ignore,
    names: Collection[str] | None = None,
    escaping: Escaping = Escaping.UNDERSCORES,
) -> bytes:
    """Return *metrics* as the text Go prints.

    *report* is called with one line for what is left out: a second metric with the
    same name and labels, or a family gathered with another type or help before.
    *names*, if given, are the only families printed. The ``_created`` samples that
    prometheus_client adds to counters, summaries and histograms are never printed.
    """
    pages = _pages(escaping)
    groups = gather(metrics, report, names)
    return to_utf8("".join([pages.body(group, report) for group in groups]))


@functools.cache
def _pages(escaping: Escaping) -> Pages[str]:
    return Pages(TextForm(_STYLE, escaping, _about))


def _about(name: str, first: Exposed, escaping: Escaping) -> str:
    plain = title(name, escaping)
    about = first.documentation
    if "\\" in about or "\n" in about:
        about = about.translate(_ESCAPES)
    return f"# HELP {plain} {about}\n# TYPE {plain} {kind_of(first)}\n"


def to_utf8(text: str) -> bytes:
    """Return *text* in UTF-8; a byte that was none when it was read is U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:  # names from the kernel that are not UTF-8
        valid = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return valid.encode()


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


_STYLE = Style(value=format_float, count=format_float, stamp=_milliseconds)
