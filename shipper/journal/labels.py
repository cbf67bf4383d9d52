"""From the fields of an entry to its stream and line (promtail journaltarget.go)."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from shipper.pipeline.entry import Labels
from shipper.relabel import RelabelConfig, anchored, relabel


MAX_STREAMS: Final = 4096
"""Sets of labels that are remembered: the rules are not asked for those again."""

_PRIORITIES: Final = dict(
    zip(
        (b"%d" % number for number in range(8)),
        ("emerg", "alert", "crit", "error", "warning", "notice", "info", "debug"),
        strict=True,
    )
)

# Go's JSON also escapes what HTML gives a meaning.
_GO_ESCAPED: Final = re.compile('[\x00-\x1f"\\\\<>&\u2028\u2029]')
_SHORT: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def discovered(fields: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Yield the labels that the rules see."""
    for name, value in fields.items():
        text = value.decode("utf-8", "replace")
        if name == "PRIORITY":
            yield "__journal_priority_keyword", _PRIORITIES.get(value, text)
        yield f"__journal_{name.lower()}", text


def line(fields: Mapping[str, bytes], *, as_json: bool) -> bytes | None:
    """Return the text of an entry, None when it has none."""
    if not as_json:
        return fields.get("MESSAGE")
    members = (
        f"{_quote(name)}:{_quote(fields[name].decode('utf-8', 'replace'))}"
        for name in sorted(fields)
    )
    return ("{" + ",".join(members) + "}").encode()


def _quote(text: str) -> str:
    def escape(found: re.Match[str]) -> str:
        char = found[0]
        return _SHORT.get(char) or f"\\u{ord(char):04x}"

    return f'"{_GO_ESCAPED.sub(escape, text)}"'


class Labeller:
    """Gives entries their labels: *constant* ones and what *rules* make of fields.

    Of a field that no rule looks at there is nothing left after the rules, so entries
    that differ in such fields only have the same labels.
    """

    def __init__(
        self, constant: Mapping[str, str], rules: Iterable[RelabelConfig]
    ) -> None:
        self._constant = dict(constant)
        self._rules = tuple(rules)
        self._matters = _matters(self._rules)
        self._seen: OrderedDict[tuple[tuple[str, str], ...], Labels] = OrderedDict()

    @property
    def streams(self) -> list[Labels]:
        """The sets of labels seen lately."""
        return list(dict.fromkeys(labels for labels in self._seen.values() if labels))

    def labels(self, fields: Mapping[str, bytes]) -> Labels:
        """Return the labels of an entry; none: the rules drop it."""
        key = tuple(pair for pair in discovered(fields) if self._matters(pair[0]))
        labels = self._seen.get(key)
        if labels is None:
            labels = self._seen[key] = self._relabel(key)
            if len(self._seen) > MAX_STREAMS:
                self._seen.popitem(last=False)
        return labels

    def _relabel(self, found: tuple[tuple[str, str], ...]) -> Labels:
        after = relabel({**dict(found), **self._constant}, self._rules) or {}
        kept = (pair for pair in after.items() if not pair[0].startswith("__"))
        return tuple(sorted(kept))


def _matters(rules: Iterable[RelabelConfig]) -> Callable[[str], bool]:
    """Return what says whether a label can have an effect on the result."""
    names: set[str] = set()
    maps = []
    for rule in rules:
        names.update(rule.source_labels or ())
        names.add(rule.target_label)  # keepequal and dropequal read it
        if rule.action == "labelmap":
            maps.append(anchored(rule.regex))
    known: dict[str, bool] = {}

    def matters(name: str) -> bool:
        found = known.get(name)
        if found is None:
            found = name in names or any(pattern.search(name) for pattern in maps)
            if len(known) < MAX_STREAMS:
                known[name] = found
        return found

    return matters
