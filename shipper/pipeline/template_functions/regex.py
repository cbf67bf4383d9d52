"""promtail's and sprig's functions on regular expressions, which are RE2 here too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from exporters.toolkit.regex import Groups, Regex, RegexError
from shipper.pipeline.text import Spans, find_all, search

from .bounds import check


_META: Final = frozenset("\\.+*?()|[]{}^$")

# A pattern is mostly a literal of the template. RegexError ends the rendering.
_regex: Final = lru_cache(maxsize=256)(Regex)


def _must_match(pattern: str, text: str) -> bool:
    return search(_regex(pattern), text)


def _match(pattern: str, text: str) -> bool:
    try:
        return _must_match(pattern, text)
    except RegexError:
        return False  # the only one of sprig's that takes it so


def _find(pattern: str, text: str) -> str:
    for spans in find_all(_regex(pattern), text):
        return _cut(text, spans, 0)
    return ""


def _find_all(pattern: str, text: str, count: int) -> list[str]:
    matches = find_all(_regex(pattern), text)
    return [_cut(text, spans, 0) for spans in _first(matches, count)]


def _replace_all(pattern: str, text: str, replacement: str) -> str:
    regex = _regex(pattern)
    names = regex.names

    def expand(spans: Spans) -> str:
        groups = Groups(lambda start, end: text[start:end], list(spans), names)
        return groups.expand(replacement)

    return "".join(_replaced(find_all(regex, text), text, expand))


def _replace_all_literal(pattern: str, text: str, replacement: str) -> str:
    matches = find_all(_regex(pattern), text)
    return "".join(_replaced(matches, text, lambda _: replacement))


def _split(pattern: str, text: str, count: int) -> list[str]:
    """Return what is between the matches (Go's Regexp.Split)."""
    if count == 0:
        return []
    if pattern and not text:
        return [""]
    parts: list[str] = []
    begin = end = 0
    for spans in find_all(_regex(pattern), text):
        if 0 < count == len(parts) + 1:
            break
        end = spans[0][0]
        if spans[0][1]:
            parts.append(text[begin:end])
        begin = spans[0][1]
    return [*parts, text[begin:]] if end != len(text) else parts


def _quote_meta(text: str) -> str:
    return "".join(f"\\{char}" if char in _META else char for char in text)


def _replaced(
    matches: list[Spans], text: str, replacement: Callable[[Spans], str]
) -> Iterator[str]:
    position = characters = 0
    for spans in matches:
        start, end = spans[0]
        yield text[position:start]
        new = replacement(spans)
        characters += len(new)
        check(characters)
        yield new
        position = end
    yield text[position:]


def _first(matches: list[Spans], count: int) -> list[Spans]:
    return matches if count < 0 else matches[:count]


def _cut(text: str, spans: Spans, group: int) -> str:
    start, end = spans[group]
    return text[start:end]


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "mustRegexFind": _find,
    "mustRegexFindAll": _find_all,
    "mustRegexMatch": _must_match,
    "mustRegexReplaceAll": _replace_all,
    "mustRegexReplaceAllLiteral": _replace_all_literal,
    "mustRegexSplit": _split,
    "regexFind": _find,
    "regexFindAll": _find_all,
    "regexMatch": _match,
    "regexQuoteMeta": _quote_meta,
    "regexReplaceAll": _replace_all,
    "regexReplaceAllLiteral": _replace_all_literal,
    "regexSplit": _split,
}
