"""From the fields of an entry to its stream and line (promtail journaltarget.go)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from shipper.pipeline.entry import Labels
from shipper.pipeline.gojson import marshal
from shipper.relabel import RelabelConfig, anchored, final_labels, relabel


MAX_STREAMS: Final = 4096
"""Sets of labels that are remembered: the rules are not asked for those again."""

_PRIORITIES: Final = dict(
    zip(
        (b"%d" % number for number in range(8)),
        ("emerg", "alert", "crit", "error", "warning", "notice", "info", "debug"),
        strict=True,
    )
)

_KEYWORD: Final = "__journal_priority_keyword"


def discovered(
    fields: Mapping[str, bytes], matters: Callable[[str], bool]
) -> Iterator[tuple[str, str]]:
    """Yield the labels that the rules see, of those that matter."""
    for name, value in fields.items():
        if name == "PRIORITY" and matters(_KEYWORD):
            yield _KEYWORD, _PRIORITIES.get(value) or value.decode("utf-8", "replace")
        label = f"__journal_{name.lower()}"
        if matters(label):
            yield label, value.decode("utf-8", "replace")


def line(fields: Mapping[str, bytes], *, as_json: bool) -> bytes | None:
    """Return the text of an entry, None when it has none."""
    if not as_json:
        return fields.get("MESSAGE")
    texts = {name: value.decode("utf-8", "replace") for name, value in fields.items()}
    return marshal(texts).encode()


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
        key = tuple(discovered(fields, self._matters))
        labels = self._seen.get(key)
        if labels is None:
            labels = self._seen[key] = self._relabel(key)
            if len(self._seen) > MAX_STREAMS:
                self._seen.popitem(last=False)
        return labels

    def _relabel(self, found: tuple[tuple[str, str], ...]) -> Labels:
        after = relabel({**dict(found), **self._constant}, self._rules) or {}
        return final_labels(after)


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
