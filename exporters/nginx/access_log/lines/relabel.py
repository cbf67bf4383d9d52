"""Turn a field of a line into the value of a label.

Upstream counterpart: prometheus-nginxlog-exporter ``pkg/relabeling/mapping.go`` and
``defaults.go``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from exporters.nginx.access_log.lines.fields import names_of
from exporters.nginx.access_log.settings import Relabeling
from exporters.toolkit.errors import StartError


if TYPE_CHECKING:
    from exporters.nginx.access_log.lines.replace import Replacement


OTHER: Final = "other"

# Longer than any label that somebody wants to look at; a URI has up to 8 KiB
# (large_client_header_buffers), and stands on the page 74 times for each series.
MAX_CHARACTERS: Final = 128
# Matching takes 15 µs, remembering 0.1 µs. At most 1 MiB for each label.
_REMEMBERED: Final = 1024
_SHORT: Final = 512  # characters of what is remembered
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_METHODS: Final = frozenset(
    "GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH".split()  # noqa: SIM905 -- reads best
)

Mapper = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Rule:
    """One label: its *name*, the *fields* its value may come from, what is made of it.

    *bounded* says that its values are few whatever is in the log. With *only_counter*
    nothing but the response count has it.
    """

    name: str
    fields: tuple[str, ...]
    map: Mapper
    bounded: bool = False
    only_counter: bool = False


def rule(relabeling: Relabeling) -> Rule:
    """Return the rule of a configured *relabeling*; StartError for a bad pattern."""
    pick = _picker(relabeling.split, relabeling.separator or " ")
    return Rule(
        relabeling.target_label,
        names_of(relabeling.from_),
        _mapper(relabeling, pick),
        only_counter=relabeling.only_counter,
    )


def _picker(split: int, separator: str) -> Mapper | None:
    if split <= 0:
        return None

    def pick(text: str) -> str:
        parts = text.split(separator, split)
        return parts[split - 1] if len(parts) >= split else ""

    return pick


def _mapper(relabeling: Relabeling, pick: Mapper | None) -> Mapper:
    if relabeling.whitelist:
        return _whitelist(frozenset(relabeling.whitelist), pick)
    replacements = _replacements(relabeling)

    def rewrite(text: str) -> str:
        text = _SURROGATES.sub("\ufffd", text)
        if replacements:
            results = (replacement.apply(text) for replacement in replacements)
            text = next((result for result in results if result is not None), "")
        return text[:MAX_CHARACTERS]

    remembered = lru_cache(_REMEMBERED)(rewrite)

    def choose(text: str) -> str:
        if pick is not None:
            text = pick(text)
        return (remembered if len(text) <= _SHORT else rewrite)(text)

    return choose


def _replacements(relabeling: Relabeling) -> Sequence[Replacement]:
    if not relabeling.matches:
        return ()
    # RE2 is 3 MiB that nobody else here needs.
    from exporters.nginx.access_log.lines.replace import Replacement  # noqa: PLC0415

    try:
        return [Replacement(m.regexp, m.replacement) for m in relabeling.matches]
    except StartError as error:
        label = relabeling.target_label
        raise StartError(f"access log: label {label!r}: {error}") from None


def _whitelist(allowed: frozenset[str], pick: Mapper | None = None) -> Mapper:
    def choose(text: str) -> str:
        if pick is not None:
            text = pick(text)
        return text if text in allowed else OTHER

    return choose


def host_rule(hosts: tuple[str, ...]) -> Rule:
    """Return the rule of the label ``host``: one of *hosts*, or ``other``."""
    choose = _whitelist(frozenset(map(_bare_host, hosts)))
    return Rule("host", names_of("host"), lambda text: choose(_bare_host(text)))


def _bare_host(text: str) -> str:
    """Return a Host header's value as nginx's $host shows it (ngx_http_validate_host).

    Lower case, without the port and the dot at its end.
    """
    name = text.lower()
    if name[:1] == "[":
        return name.partition("]")[0] + "]"
    return name.partition(":")[0].rstrip(".")


# The first word of "GET / HTTP/1.1" is the method, and that of "GET" too.
METHOD: Final = Rule(
    "method",
    (*names_of("request_method"), "request"),
    _whitelist(_METHODS, _picker(1, " ")),
    bounded=True,
)
# nginx prints 000 and 009, too: a request without a response, HTTP/0.9.
STATUS: Final = Rule(
    "status",
    names_of("status"),
    _whitelist(frozenset(f"{code:03}" for code in range(1000))),
    bounded=True,
)
