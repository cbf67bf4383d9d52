"""Relabelling rules (prometheus model/relabel/relabel.go).

A rule is checked when it is loaded and compiled once; ``relabel`` applies rules to one
label set. ``keep`` and ``drop`` really drop: promtail's Docker target ignores the
answer and ships the lines without any label (loki#8620).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Final, Literal, get_args

from exporters.toolkit.decode import Problem, Scalar
from exporters.toolkit.regex import Regex
from shipper.pipeline.entry import Labels
from shipper.pipeline.template_functions.text import to_lower, to_upper


Action = Literal[
    "replace",
    "keep",
    "drop",
    "keepequal",
    "dropequal",
    "hashmod",
    "labelmap",
    "labeldrop",
    "labelkeep",
    "lowercase",
    "uppercase",
]

_LABEL_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
# A label name with $1 and ${name} in it.
_NAME_TEMPLATE: Final = re.compile(
    r"(?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+", re.ASCII
)
_DEFAULT_PATTERN: Final = "(.*)"
_NEEDS_TARGET: Final = frozenset(
    {"replace", "hashmod", "lowercase", "uppercase", "keepequal", "dropequal"}
)
_FIXED_REPLACEMENT: Final = frozenset(
    {"lowercase", "uppercase", "keepequal", "dropequal"}
)


def is_label_name(text: str) -> bool:
    """Say whether *text* is a label name that Loki takes (no dots, no dashes)."""
    return _LABEL_NAME.fullmatch(text) is not None


def label_problems(names: Iterable[str], key: str = "labels") -> Iterator[Problem]:
    """Yield a problem for each of *names*, keys of the map *key*, that no label has."""
    for name in names:
        if not is_label_name(name):
            yield Problem(f'"{name}" is not a valid label name', (key, name))


def _parse_action(text: str) -> str:
    if text.lower() not in get_args(Action):
        raise ValueError(f'unknown relabel action "{text}"')
    return text.lower()


def anchored(pattern: str) -> Regex:
    """Compile *pattern* as promtail does: anchored, ``.`` matching no newline.

    Prometheus 3 has come to match newlines too. Raises RegexError about the pattern as
    written.
    """
    Regex(pattern)  # so that the error shows the user's text, not the anchors
    return Regex(f"^(?:{pattern})$")


def _pattern(text: str) -> str:
    anchored(text)
    return text


# A key without a value is an empty text, not the default (yaml.v2).
_Text = Annotated[str, Scalar("string", str, null="")]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelabelConfig:
    """One rule; *regex* is the pattern as written, without anchors."""

    source_labels: tuple[str, ...] | None = None
    separator: _Text = ";"
    regex: Annotated[str, Scalar("Regexp", _pattern, null="")] = _DEFAULT_PATTERN
    modulus: int = 0
    target_label: str = ""
    replacement: _Text = "$1"
    action: Annotated[Action, Scalar("Action", _parse_action)] = "replace"

    def problems(self) -> Iterator[Problem]:
        yield from _problems(self)


def _problems(rule: RelabelConfig) -> Iterator[Problem]:
    """Yield what Prometheus' Config.Validate would refuse *rule* for."""
    action = rule.action
    yield from _wrong_sources(rule)
    yield from _wrong_modulus(rule)
    if action in _NEEDS_TARGET and not rule.target_label:
        yield Problem(
            f"relabel configuration for {action} action requires 'target_label' value"
        )
    elif action in _NEEDS_TARGET and not _target_is_valid(rule):
        yield Problem(
            f"\"{rule.target_label}\" is invalid 'target_label' for {action} action",
            ("target_label",),
        )
    if action in _FIXED_REPLACEMENT and rule.replacement != "$1":
        yield Problem(
            f"'replacement' can not be set for {action} action", ("replacement",)
        )
    if action == "labelmap" and not _NAME_TEMPLATE.fullmatch(rule.replacement):
        yield Problem(
            f"\"{rule.replacement}\" is invalid 'replacement' for labelmap action",
            ("replacement",),
        )
    yield from _superfluous(rule)


def _wrong_sources(rule: RelabelConfig) -> Iterator[Problem]:
    for number, name in enumerate(rule.source_labels or ()):
        if not is_label_name(name):
            text = f'"{name}" is not a valid label name'
            yield Problem(text, ("source_labels", number))


def _wrong_modulus(rule: RelabelConfig) -> Iterator[Problem]:
    if rule.action == "hashmod" and rule.modulus == 0:
        text = "relabel configuration for hashmod requires non-zero modulus"
        yield Problem(text, ("modulus",))
    if rule.modulus < 0:
        yield Problem("modulus must not be negative", ("modulus",))


def _target_is_valid(rule: RelabelConfig) -> bool:
    if rule.action == "replace" and "$" in rule.target_label:
        return _NAME_TEMPLATE.fullmatch(rule.target_label) is not None
    return is_label_name(rule.target_label)


def _superfluous(rule: RelabelConfig) -> Iterator[Problem]:
    plain = rule.modulus == 0 and rule.separator == ";" and rule.replacement == "$1"
    if rule.action in {"keepequal", "dropequal"}:
        allowed = plain and rule.regex == _DEFAULT_PATTERN
        fields = "'source_labels' and `target_label`"
    elif rule.action in {"labeldrop", "labelkeep"}:
        allowed = plain and rule.source_labels is None and not rule.target_label
        fields = "'regex'"
    else:
        return
    if not allowed:
        text = f"{rule.action} action requires only {fields}, and no other fields"
        yield Problem(text)


# -- applying


Rule = Callable[[dict[str, str]], dict[str, str] | None]


def relabel(
    labels: Mapping[str, str], rules: Iterable[RelabelConfig]
) -> dict[str, str] | None:
    """Return *labels* after all *rules*, or None when one of them drops the target.

    A label that becomes empty is gone. Names that begin with ``__`` are kept: taking
    them off is the caller's last step (`final_labels`).
    """
    # Sorted: where a labelmap makes one name of several, the last one's value stays.
    current: dict[str, str] | None = {k: v for k, v in sorted(labels.items()) if v}
    for rule in rules:
        if current is None:
            break
        current = _compiled(rule)(current)
    return current


def final_labels(labels: Mapping[str, str]) -> Labels:
    """Return *labels* as those of a stream: without names that begin with ``__``."""
    kept = ((k, v) for k, v in labels.items() if v and not k.startswith("__"))
    return tuple(sorted(kept))


@lru_cache(maxsize=1024)
def _compiled(rule: RelabelConfig) -> Rule:
    pattern = anchored(rule.regex)
    makers: dict[str, Callable[[RelabelConfig, Regex], Rule]] = {
        "replace": _replace,
        "keep": _filter,
        "drop": _filter,
        "keepequal": _filter_equal,
        "dropequal": _filter_equal,
        "hashmod": _set,
        "lowercase": _set,
        "uppercase": _set,
        "labelmap": _labelmap,
        "labeldrop": _filter_names,
        "labelkeep": _filter_names,
    }
    return makers[rule.action](rule, pattern)


def _source(rule: RelabelConfig) -> Callable[[dict[str, str]], str]:
    names, separator = rule.source_labels or (), rule.separator
    return lambda labels: separator.join(labels.get(name, "") for name in names)


def _with(labels: dict[str, str], name: str, value: str) -> dict[str, str]:
    """Return *labels* with *name* set, as the last one; an empty value takes it away.

    Prometheus too goes over what rules have set after everything else.
    """
    changed = dict(labels)
    changed.pop(name, None)
    if value:
        changed[name] = value
    return changed


def _replace(rule: RelabelConfig, pattern: Regex) -> Rule:
    source = _source(rule)

    def apply(labels: dict[str, str]) -> dict[str, str]:
        match = pattern.find(source(labels))
        if match is None:
            return labels
        target = match.expand(rule.target_label)
        if not is_label_name(target):
            return labels
        return _with(labels, target, match.expand(rule.replacement))

    return apply


def _filter(rule: RelabelConfig, pattern: Regex) -> Rule:
    source, keep = _source(rule), rule.action == "keep"
    return lambda labels: labels if pattern.search(source(labels)) is keep else None


def _filter_equal(rule: RelabelConfig, _: Regex) -> Rule:
    source, keep, target = _source(rule), rule.action == "keepequal", rule.target_label

    def apply(labels: dict[str, str]) -> dict[str, str] | None:
        equal = labels.get(target, "") == source(labels)
        return labels if equal is keep else None

    return apply


def _set(rule: RelabelConfig, _: Regex) -> Rule:
    source, target = _source(rule), rule.target_label
    values: dict[str, Callable[[str], str]] = {
        "lowercase": to_lower,
        "uppercase": to_upper,
        "hashmod": lambda text: _hashmod(text, rule.modulus),
    }
    value = values[rule.action]
    return lambda labels: _with(labels, target, value(source(labels)))


def _hashmod(text: str, modulus: int) -> str:
    digest = hashlib.md5(text.encode("utf-8", "replace"), usedforsecurity=False)
    return str(int.from_bytes(digest.digest()[8:]) % modulus)


def _labelmap(rule: RelabelConfig, pattern: Regex) -> Rule:
    def apply(labels: dict[str, str]) -> dict[str, str]:
        changed = labels
        for name, value in labels.items():
            match = pattern.find(name)
            if match is not None:
                changed = _with(changed, match.expand(rule.replacement), value)
        # Prometheus would keep a name like "0digit" and Loki refuse the whole push.
        return {name: v for name, v in changed.items() if is_label_name(name)}

    return apply


def _filter_names(rule: RelabelConfig, pattern: Regex) -> Rule:
    keep = rule.action == "labelkeep"

    def apply(labels: dict[str, str]) -> dict[str, str]:
        return {k: v for k, v in labels.items() if pattern.search(k) is keep}

    return apply
