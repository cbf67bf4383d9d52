r"""Go's regular expressions: RE2 syntax, Go's error texts, Go's ``$1`` expansion.

Counterpart of Go's ``regexp`` package, which every program replaced here uses. The
engine is google-re2; what it does differently from Go is evened out in this module:
``\C`` is refused, error texts are Go's, and a byte that is no UTF-8 counts as one
U+FFFD (RE2 itself would let nothing match it, not even ``.``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, AnyStr, Final, Generic, Literal, overload

import re2

from exporters.toolkit.errors import StartError


class RegexError(StartError):
    """Report a pattern that Go's regexp package would refuse, in Go's words."""


Spans = list[tuple[int, int]]
Anchor = Literal["unanchored", "start", "both"]

# RE2's error strings (re2/regexp.cc) -> Go's (regexp/syntax/parse.go).
_GO_TEXTS: Final = {
    "missing )": "missing closing )",
    "unexpected )": "unexpected )",
    "missing ]": "missing closing ]",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid character class range": "invalid character class range",
    "invalid repetition size": "invalid repeat count",
    "no argument for repetition operator": "missing argument to repetition operator",
    "trailing \\": "trailing backslash at end of expression",
    "invalid named capture group": "invalid named capture",
    "invalid escape sequence": "invalid escape sequence",
    "invalid UTF-8": "invalid UTF-8",
    "pattern too large": "expression too large",
}
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
# The only places where a pattern can hide a group or a \C: Go and RE2 agree on them.
_TOKENS: Final = re.compile(
    r"\\Q.*?(?:\\E|\Z)"
    r"|\\."
    r"|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]"
    r"|\(\?P?<(?P<name>[^>]*)>"
    r"|\((?!\?)",
    re.DOTALL,
)
_GO_GROUP_NAME: Final = re.compile(r"[A-Za-z0-9_]+")
# Go: letters, digits and underscore, of any script (regexp.extract).
_REFERENCE: Final = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))")


class Groups(Generic[AnyStr]):
    """The groups of one match, of the same kind (str or bytes) as the text."""

    __slots__ = ("_cut", "_names", "_spans")
    _cut: Callable[[int, int], AnyStr]

    def __init__(
        self, cut: Callable[[int, int], AnyStr], spans: Spans, names: tuple[str, ...]
    ) -> None:
        self._cut = cut
        self._spans = spans
        self._names = names

    def __len__(self) -> int:
        """Return the number of groups, the whole match included."""
        return len(self._spans)

    def __getitem__(self, key: int | str) -> AnyStr | None:
        """Return group *key* by number (0 is everything) or name, None if unset.

        Of several groups with one name the first that took part in the match counts,
        as in Go's Expand. Raises KeyError for a name or number the pattern lacks.
        """
        if isinstance(key, int):
            if not 0 <= key < len(self._spans):
                raise KeyError(key)
            return self._group(key)
        if not key or key not in self._names:
            raise KeyError(key)
        named = (self._group(i) for i, name in enumerate(self._names) if name == key)
        return next((value for value in named if value is not None), None)

    def _group(self, index: int) -> AnyStr | None:
        start, end = self._spans[index]
        return None if start < 0 else self._cut(start, end)

    def values(self) -> tuple[AnyStr | None, ...]:
        """Return every group, the whole match first."""
        return tuple(self._group(index) for index in range(len(self._spans)))

    def named(self) -> Iterator[tuple[str, AnyStr | None]]:
        """Yield (name, value) of each named group from left to right."""
        for index, name in enumerate(self._names):
            if name:
                yield name, self._group(index)

    def texts(self) -> dict[str, AnyStr]:
        """Return the named groups; an unset one is empty, of a name the last counts."""
        empty = self._cut(0, 0)
        return {name: value or empty for name, value in self.named()}

    def expand(self, template: str) -> AnyStr:
        """Replace ``$1``, ``${1}``, ``$name`` and ``$$`` (Go's Regexp.Expand)."""
        empty = self._cut(0, 0)
        parts: list[AnyStr] = []
        for is_reference, text in _parse_template(template):
            if is_reference:
                parts.append(self._reference(text) or empty)
            else:
                parts.append(_as_kind(text, empty))
        return empty.join(parts)

    def _reference(self, name: str) -> AnyStr | None:
        if name.isascii() and name.isdigit() and (name == "0" or name[0] != "0"):
            return self._group(int(name)) if int(name) < len(self._spans) else None
        return self[name] if name in self._names else None


class Regex:
    r"""A compiled pattern.

    *pattern* is Go's syntax: no look-around, no back references, ``$`` only at the
    very end, ASCII ``\d \w \s``. Time is linear in the text. Raises RegexError.
    """

    __slots__ = ("_match", "names", "pattern")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        compiled = _compile(pattern)
        self.names = _group_names(pattern, compiled)
        self._match = _raw_match(compiled)

    def __repr__(self) -> str:
        return f"Regex({self.pattern!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Regex) and other.pattern == self.pattern

    def __hash__(self) -> int:
        return hash(self.pattern)

    def search(self, text: str | bytes) -> bool:
        """Say whether the pattern matches anywhere in *text* (Go's MatchString)."""
        return self._match("unanchored", _utf8(text)) is not None

    def matches(self, text: str | bytes) -> bool:
        """Say whether the pattern matches *text* from end to end."""
        return self._match("both", _utf8(text)) is not None

    def find(self, text: AnyStr) -> Groups[AnyStr] | None:
        """Return the leftmost match anywhere in *text* (Go's FindSubmatch)."""
        return self._groups("unanchored", text)

    def extract(self, text: str) -> dict[str, str] | None:
        """Return the named groups of the leftmost match anywhere in *text*.

        One that took no part in it is empty; of several with one name the last counts.
        """
        if not text.isascii():
            return None if (found := self.find(text)) is None else found.texts()
        spans = self._match("unanchored", text.encode())
        if spans is None:
            return None
        places = zip(self.names, spans, strict=True)  # where it is unset: -1 to -1
        return {name: text[start:end] for name, (start, end) in places if name}

    def match(self, text: AnyStr) -> Groups[AnyStr] | None:
        """Return the match at the start of *text*."""
        return self._groups("start", text)

    def fullmatch(self, text: AnyStr) -> Groups[AnyStr] | None:
        """Return the match of the whole of *text*, as ``^(?:pattern)$`` would."""
        return self._groups("both", text)

    def expand(self, template: str, match: Groups[AnyStr]) -> AnyStr:
        """Replace the references in *template* by the groups of *match*."""
        return match.expand(template)

    def _groups(self, anchor: Anchor, text: AnyStr) -> Groups[AnyStr] | None:
        spans = self._match(anchor, _utf8(text))
        return None if spans is None else Groups(_cutter(text), spans, self.names)


def _compile(pattern: str) -> Any:
    if _SURROGATES.search(pattern):
        raise RegexError(f"error parsing regexp: invalid UTF-8: `{pattern!a}`")
    options = re2.Options()
    options.log_errors = False  # RE2 would write to stderr by itself
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise RegexError(_go_error(error)) from None


def _go_error(error: Exception) -> str:
    raw = error.args[0] if error.args else b""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    reason, _, fragment = text.partition(": ")
    for theirs, go in _GO_TEXTS.items():
        if reason.startswith(theirs):
            return f"error parsing regexp: {go}: `{fragment}`"
    return f"error parsing regexp: {text}"


def _group_names(pattern: str, compiled: Any) -> tuple[str, ...]:
    """Return the name of each group ("" for none), refusing what only RE2 takes.

    RE2 reports only the leftmost group of a name; Go's Expand and promtail's regex
    stage need them all.
    """
    names = [""]
    for token in _TOKENS.finditer(pattern):
        text = token[0]
        if text == "\\C":
            raise RegexError("error parsing regexp: invalid escape sequence: `\\C`")
        name = token["name"]
        if name is not None and not _GO_GROUP_NAME.fullmatch(name):
            raise RegexError(f"error parsing regexp: invalid named capture: `{text}`")
        if name is not None or text == "(":
            names.append(name or "")
    if len(names) != compiled.groups + 1:  # RE2 knows better
        by_index = {index: name for name, index in compiled.groupindex.items()}
        return tuple(by_index.get(i, "") for i in range(compiled.groups + 1))
    return tuple(names)


def _raw_match(compiled: Any) -> Callable[[Anchor, bytes], Spans | None]:
    """Return the cheapest way to get the spans of one match.

    The binding's own Match costs 0.4 µs; the public methods 3 µs, for they build
    dictionaries. It is private, so its absence falls back to them.
    """
    raw = getattr(getattr(compiled, "_regexp", None), "Match", None)
    anchors = getattr(getattr(re2, "_re2", None), "RE2", None)
    if raw is None or anchors is None:
        return _public_match(compiled)
    codes = {
        "unanchored": anchors.Anchor.UNANCHORED,
        "start": anchors.Anchor.ANCHOR_START,
        "both": anchors.Anchor.ANCHOR_BOTH,
    }

    def match(anchor: Anchor, text: bytes) -> Spans | None:
        spans: Spans = raw(codes[anchor], text, 0, len(text))
        return None if spans[0][0] < 0 else spans

    return match


def _public_match(compiled: Any) -> Callable[[Anchor, bytes], Spans | None]:
    methods = {
        "unanchored": compiled.search,
        "start": compiled.match,
        "both": compiled.fullmatch,
    }

    def match(anchor: Anchor, text: bytes) -> Spans | None:
        found = methods[anchor](text)
        if found is None:
            return None
        return [found.span(index) for index in range(compiled.groups + 1)]

    return match


def _utf8(text: str | bytes) -> bytes:
    """Return *text* as valid UTF-8, each bad byte or surrogate as one U+FFFD."""
    if text.isascii():
        return text if isinstance(text, bytes) else text.encode()
    if isinstance(text, bytes):
        try:
            text.decode()
        except UnicodeDecodeError:
            return _SURROGATES.sub("\ufffd", _loose(text)).encode()
        return text
    return _SURROGATES.sub("\ufffd", text).encode()


def _loose(text: bytes) -> str:
    """Decode so that one bad byte is one character, and can be encoded back."""
    return text.decode("utf-8", "surrogateescape")


@overload
def _cutter(text: str) -> Callable[[int, int], str]: ...
@overload
def _cutter(text: bytes) -> Callable[[int, int], bytes]: ...
def _cutter(text: str | bytes) -> Callable[[int, int], Any]:
    """Return the slicing of *text* by offsets into ``_utf8(text)``."""
    if text.isascii():
        return lambda start, end: text[start:end]
    clean = _utf8(text)
    if isinstance(text, str):
        return lambda start, end: clean[start:end].decode()
    if clean is text:
        return lambda start, end: text[start:end]
    chars = _loose(text)

    def cut(start: int, end: int) -> bytes:
        first = len(clean[:start].decode())
        count = len(clean[start:end].decode())
        return chars[first : first + count].encode("utf-8", "surrogateescape")

    return cut


@overload
def _as_kind(text: str, like: str) -> str: ...
@overload
def _as_kind(text: str, like: bytes) -> bytes: ...
def _as_kind(text: str, like: str | bytes) -> Any:
    return text if isinstance(like, str) else text.encode("utf-8", "replace")


@lru_cache(maxsize=256)
def _parse_template(template: str) -> tuple[tuple[bool, str], ...]:
    """Split *template* into (is reference, text); a malformed ``$`` is literal."""
    parts: list[tuple[bool, str]] = []
    position = 0
    for found in _REFERENCE.finditer(template):
        if found.start() > position:
            parts.append((False, template[position : found.start()]))
        parts.append((False, "$") if found[1] else (True, found[2] or found[3]))
        position = found.end()
    if position < len(template):
        parts.append((False, template[position:]))
    return tuple(parts)
