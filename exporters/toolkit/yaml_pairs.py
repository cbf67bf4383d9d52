"""The keys of a mapping and their values, what it merges (``<<``) included.

Counterpart of yaml.v2's decode.go: mapping, merge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import yaml

from exporters.toolkit.yaml_nodes import TAG


_MERGE: Final = TAG + "merge"

Report = Callable[[yaml.Node, str], object]
"""Takes a mistake and the node that it is about."""


def pairs_of(
    node: yaml.MappingNode, report: Report, repeated: str
) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    """Yield the pairs of *node*, its own first, then what it merges.

    *repeated*, with the key in it, is what *report* gets of a key that comes again.
    """
    seen: set[str] = set()
    pending: list[yaml.Node] = []
    for key, child in node.value:
        if key.tag == _MERGE:
            pending.append(child)
        elif not isinstance(key, yaml.ScalarNode):
            report(key, "a key must be a scalar")
        elif key.value in seen:
            report(key, repeated.format(key.value))
        else:
            seen.add(key.value)
            yield key, child
    for key, child in _merged(pending, report):
        if key.value not in seen:
            seen.add(key.value)
            yield key, child


def _merged(
    pending: list[yaml.Node], report: Report
) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    """Yield the pairs of all merged mappings, the nearest first."""
    visited: set[int] = set()
    while pending:
        node = pending.pop(0)
        if id(node) in visited:
            continue
        visited.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            pending[:0] = node.value
        elif isinstance(node, yaml.MappingNode):
            pending[:0] = [child for key, child in node.value if key.tag == _MERGE]
            yield from (
                (key, child)
                for key, child in node.value
                if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE
            )
        else:
            text = "map merge requires map or sequence of maps as the value"
            report(node, text)
