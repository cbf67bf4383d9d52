r"""Path patterns as promtail's (github.com/bmatcuk/doublestar/v4). Pure.

``*`` and ``?`` stay within one name and do match a leading dot; ``**`` as a whole name
stands for any number of directories, also none; elsewhere it is ``*``. ``[a-z]``,
``[!a]`` and ``[^a]`` are classes, ``{a,b}`` are alternatives and may nest, ``\`` takes
away a meaning. A name with bytes that are no UTF-8 is matched as Python spells it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property


MAX_ALTERNATIVES = 1000
"""Patterns that one pattern may stand for; ``{a,b}`` doubles them."""

DOUBLESTAR = "**"

_META = re.compile(r"[*?\[]")


class GlobError(ValueError):
    """A pattern is malformed; says which and why."""


class Glob:
    """One pattern. Raises GlobError for a malformed one.

    A relative one is about the directory the program was started in; ``..``, ``.`` and
    doubled slashes are taken out, as Go's filepath.Clean does.
    """

    def __init__(self, pattern: str) -> None:
        if "\0" in pattern:
            raise GlobError(f"{pattern!r}: a NUL is no part of a path")
        self.pattern = pattern
        expanded = dict.fromkeys(_absolute(text) for text in alternatives(pattern))
        self.variants = [_segments(text) for text in expanded]
        """Every alternative as its names: compiled, or ``**``, or literal text."""

    def match(self, path: str) -> bool:
        """Say whether *path*, an absolute one, is what the pattern describes."""
        return any(regex.fullmatch(path) for regex in self._regexes)

    @cached_property
    def _regexes(self) -> list[re.Pattern[str]]:
        return [re.compile(_whole(segments), re.DOTALL) for segments in self.variants]


Segment = str | re.Pattern[str]
"""A name to be taken literally, `DOUBLESTAR`, or what a name must match."""


def alternatives(pattern: str) -> list[str]:
    """Return the patterns without braces that *pattern* stands for, in its order."""
    found = []
    waiting = [pattern]
    while waiting:
        text = waiting.pop()
        opening = _find(text, 0, "{")
        if opening is None:
            found.append(text)
        else:
            closing, options = _options(pattern, text, opening)
            head, tail = text[:opening], text[closing + 1 :]
            waiting += [head + option + tail for option in reversed(options)]
        if len(found) + len(waiting) > MAX_ALTERNATIVES:
            raise GlobError(f"{pattern}: more than {MAX_ALTERNATIVES} alternatives")
    return found


def _find(text: str, start: int, wanted: str) -> int | None:
    """Return where the first character of *wanted* stands that is not escaped.

    Braces inside of a class are no braces.
    """
    index, in_class = start, False
    while index < len(text):
        char = text[index]
        if char == "\\":
            index += 1
        elif in_class:
            in_class = char != "]"
        elif char in wanted:
            return index
        elif char == "[":
            in_class = True
        index += 1
    return None


def _options(pattern: str, text: str, opening: int) -> tuple[int, list[str]]:
    """Return where the brace at *opening* ends and the alternatives between."""
    options, depth, begin, index = [], 0, opening + 1, opening + 1
    while (found := _find(text, index, "{,}")) is not None:
        char, index = text[found], found + 1
        if char == "{":
            depth += 1
        elif char == "}" and depth:
            depth -= 1
        elif not depth:
            options.append(text[begin:found])
            begin = index
            if char == "}":
                return found, options
    raise GlobError(f"{pattern}: a '{{' without its '}}'")


def _absolute(text: str) -> str:
    return os.path.normpath("/" + text.lstrip("/") if text[:1] == "/" else _here(text))


def _here(text: str) -> str:
    # The directory's own name may hold characters with a meaning.
    here = re.sub(r"([*?\[\]{}\\])", r"\\\1", os.getcwd())
    return os.path.join(here, text)


def _segments(text: str) -> list[Segment]:
    names = text.split("/")[1:]
    return [
        DOUBLESTAR if name == DOUBLESTAR else _segment(name, text) for name in names
    ]


def _segment(name: str, pattern: str) -> Segment:
    source = "".join(_translate(name, pattern))
    if _META.search(name) is None:
        return re.sub(r"\\(.)", r"\1", name)
    return re.compile(source, re.DOTALL)


def _translate(name: str, pattern: str) -> Iterator[str]:
    """Yield the pieces of the regular expression for one *name*."""
    index = 0
    while index < len(name):
        char = name[index]
        if char == "*":
            while name[index : index + 1] == "*":
                index += 1
            yield "[^/]*"
        elif char == "[":
            index, source = _class(name, index, pattern)
            yield source
        else:
            if char == "\\":
                index += 1
                if index == len(name):
                    raise GlobError(f"{pattern}: nothing follows the last '\\'")
            yield "[^/]" if char == "?" else re.escape(name[index])
            index += 1


def _class(name: str, index: int, pattern: str) -> tuple[int, str]:
    """Return where the class at *index* ends, and it as a regular expression."""
    index += 1
    negated = name[index : index + 1] in {"!", "^"}
    index += negated
    members: list[str] = []
    while index < len(name) and name[index] != "]":
        low, index = _member(name, index, pattern)
        high = low
        if name[index : index + 1] == "-" and name[index + 1 : index + 2] not in {
            "",
            "]",
        }:
            high, index = _member(name, index + 1, pattern)
        if low <= high:  # z-a holds nothing, as in Go
            members.append(f"{re.escape(low)}-{re.escape(high)}")
    if index >= len(name):
        raise GlobError(f"{pattern}: a '[' without its ']'")
    if name[index - 1] in "[!^" and not members:
        raise GlobError(f"{pattern}: nothing between '[' and ']'")
    inside = "".join(members)
    if not inside:
        return index + 1, "[^/]" if negated else "(?!)"
    return index + 1, f"[^/{inside}]" if negated else f"(?!/)[{inside}]"


def _member(name: str, index: int, pattern: str) -> tuple[str, int]:
    if name[index] == "\\":
        index += 1
        if index == len(name):
            raise GlobError(f"{pattern}: a '[' without its ']'")
    return name[index], index + 1


def _whole(segments: list[Segment]) -> str:
    """Return one regular expression for a path of all *segments*."""
    source = ""
    for number, segment in enumerate(segments):
        if segment != DOUBLESTAR:
            text = re.escape(segment) if isinstance(segment, str) else segment.pattern
            source += "/" + text
        elif number < len(segments) - 1:
            source += "(?:/[^/]+)*"
        else:  # a/** is also a itself
            source += "(?:/[^/]*)*"
    return source
