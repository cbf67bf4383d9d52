"""Compose a YAML text into nodes, bounded, and look at them as yaml.v2 does.

Counterpart of yaml.v2's parser.go and resolve.go, under ``exporters.toolkit.decode``.
"""

from __future__ import annotations

import re
from typing import Any, Final

import yaml


TAG: Final = "tag:yaml.org,2002:"
MAX_BYTES: Final = 4 << 20
MAX_DEPTH: Final = 64
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
# yaml.v2 resolve.go: y and n count too, whatever PyYAML thinks.
TRUE: Final = frozenset({"y", "yes", "true", "on"})
FALSE: Final = frozenset({"n", "no", "false", "off"})


class SyntaxProblem(Exception):  # noqa: N818  the decoder's DecodeError is the error
    """Say where a text stops being YAML; *line* and *column* count from 0."""

    def __init__(self, line: int, column: int, text: str) -> None:
        super().__init__(text)
        self.line = line
        self.column = column


def compose(data: bytes) -> yaml.Node:
    """Return the root node of the one document in *data*.

    A text without a document gives an empty mapping. Raises SyntaxProblem.
    """
    if len(data) > MAX_BYTES:
        raise SyntaxProblem(0, 0, f"file is larger than {MAX_BYTES} bytes")
    try:
        _check_depth(data)
        node = yaml.compose(data, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        place = _place(error.problem_mark or error.context_mark)
        # libyaml names no text of the file here, so nothing secret can show.
        text = ": ".join(part for part in (error.context, error.problem) if part)
        raise SyntaxProblem(*_inside(data, *place), text) from None
    except yaml.reader.ReaderError as error:
        before = data[: error.position].decode("utf-8", "replace")
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        raise SyntaxProblem(line, column, f"not YAML: {error.reason}") from None
    return empty_mapping(node) if node is None or is_null(node) else node


def empty_mapping(node: yaml.Node | None) -> yaml.MappingNode:
    """Return a mapping without keys at the place of *node*, or of the file's start."""
    mark = node.start_mark if node else yaml.Mark("", 0, 0, 0, "", 0)
    return yaml.MappingNode(TAG + "map", [], mark, mark)


def _place(mark: Any) -> tuple[int, int]:
    return (mark.line, mark.column) if mark else (0, 0)


def _inside(data: bytes, line: int, column: int) -> tuple[int, int]:
    """Move a place that libyaml gives as one line past the end to the end."""
    lines = _BREAK.split(data.decode("utf-8", "replace"))
    if line < len(lines):
        return line, column
    return len(lines) - 1, len(lines[-1])


def _check_depth(data: bytes) -> None:
    """Refuse deep nesting before libyaml's composer recurses into it."""
    depth = 0
    for event in yaml.parse(data, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise SyntaxProblem(*_place(event.start_mark), "nested too deeply")


def is_plain(node: yaml.ScalarNode) -> bool:
    return not node.style


def is_null(node: yaml.Node) -> bool:
    return (
        isinstance(node, yaml.ScalarNode)
        and node.tag == TAG + "null"
        and node.value in _NULLS
    )


def is_off(node: yaml.Node) -> bool:
    """Say whether a value asks for nothing: null, "", false, [] or {}."""
    if isinstance(node, yaml.ScalarNode):
        off = is_plain(node) and node.value.lower() in FALSE
        return off or is_null(node) or not node.value
    return not node.value


def foreign_tag(node: yaml.Node) -> bool:
    return not node.tag.startswith(TAG) or node.tag == TAG + "binary"


def describe(node: yaml.Node, show: bool) -> str:
    tag = "!!" + node.tag.removeprefix(TAG) if not foreign_tag(node) else "a tag"
    if not show or not isinstance(node, yaml.ScalarNode):
        return tag
    text = node.value if len(node.value) <= 10 else f"{node.value[:7]}..."
    return f"{tag} `{text}`"


def follow(node: yaml.Node, path: tuple[str | int, ...]) -> yaml.Node:
    """Return the node at the end of *path*, or the last that is there."""
    for step in path:
        if isinstance(node, yaml.MappingNode):
            inside = [v for k, v in node.value if k.value == step]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            inside = node.value[step : step + 1]
        else:
            inside = []
        if not inside:
            break
        node = inside[0]
    return node
