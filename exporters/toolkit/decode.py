"""Turn YAML into frozen dataclasses, strictly, and report every mistake at once.

Counterpart of yaml.v2's UnmarshalStrict, which promtail and exporter-toolkit use. Like
it, and unlike PyYAML's constructors, a scalar is read by the type that is wanted:
``regex: yes`` stays the text "yes", ``017`` and ``12:30`` stay as written. Unlike it,
each mistake carries file, line and column, and no value of a secret is ever shown.

What a dataclass may say about its keys, all of it optional:

- ``ACCEPTED: ClassVar[frozenset[str]]``: known keys without effect; worth a warning.
- ``REFUSED: ClassVar[Mapping[str, str]]``: known keys and why they cannot be used;
  an error unless the value is empty or off.
- ``problems() -> Iterable[Problem]``: what is wrong although every type is right.
- ``INLINE: ClassVar[str]``: the one field that the whole value is, without a key.
"""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from typing import Annotated, Any, Final, Literal, NamedTuple, NoReturn, TypeVar, cast

import yaml

from exporters.toolkit.errors import StartError
from exporters.toolkit.yaml_choices import OneKey, OneOrMany, choice_of
from exporters.toolkit.yaml_nodes import (
    MAX_DEPTH,
    SyntaxProblem,
    compose,
    describe,
    empty_mapping,
    follow,
    foreign_tag,
    is_null,
    is_off,
    is_plain,
)
from exporters.toolkit.yaml_pairs import pairs_of
from exporters.toolkit.yaml_records import (
    arguments,
    gathered,
    record_fields,
    required,
)
from exporters.toolkit.yaml_scalars import (
    READERS,
    Mismatch,
    Reader,
    Scalar,
    Secret,
    scalar_reader,
)


__all__ = [
    "DecodeError",
    "OneKey",
    "OneOrMany",
    "Problem",
    "Scalar",
    "Secret",
    "decode",
]

D = TypeVar("D")

# An alias is decoded again at each use: what nine levels of ten aliases would cost.
_MAX_NODES: Final = 200_000
_INVALID: Final = object()
_KEY: Final = re.compile(r"[A-Za-z]+(?:[_.-][A-Za-z]+)*")


class DecodeError(StartError):
    """Report what is wrong with a file; *errors* are ``file:line:col: text``."""

    def __init__(self, errors: Iterable[str]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(self.errors))


class Problem(NamedTuple):
    """A mistake that types cannot see; *path* leads to it: ("clients", 0, "url")."""

    text: str
    path: tuple[str | int, ...] = ()


def decode(
    data: bytes,
    kind: type[D],
    file: str,
    warnings: list[str] | None = None,
    *,
    lenient: bool = False,
) -> D:
    """Decode *data*, one YAML document, as *kind*; an empty one means all defaults.

    *file* names the source in messages. Keys without effect are appended to
    *warnings*; with *lenient* also those that are like none that is known, for files
    of a program that ignores them. Raises DecodeError with all mistakes.
    """
    decoder = _Decoder(file, lenient=lenient)
    value = decoder.document(data, kind)
    if decoder.errors:
        raise DecodeError(_sorted(decoder.errors))
    if warnings is not None:
        warnings.extend(_sorted(decoder.warnings))
    return cast(D, value)  # without errors it is a *kind*


class _Message(NamedTuple):
    line: int
    column: int
    file: str
    text: str


class _Decoder:
    """Collects errors and warnings while it walks the node tree by type."""

    def __init__(self, file: str, *, lenient: bool = False) -> None:
        self.errors: list[_Message] = []
        self.warnings: list[_Message] = []
        self._file = file
        self._lenient = lenient
        self._nodes = 0

    def document(self, data: bytes, kind: type[Any]) -> object:
        try:
            return self._value(compose(data), kind, 0)
        except SyntaxProblem as problem:
            place = (problem.line + 1, problem.column + 1)
            self.errors.append(_Message(*place, self._file, str(problem)))
            return _INVALID

    # -- reporting

    def _fail(self, node: yaml.Node, text: str) -> NoReturn:
        mark = node.start_mark
        raise SyntaxProblem(mark.line, mark.column, text)

    def _error(self, node: yaml.Node, text: str) -> object:
        self.errors.append(self._message(node, text))
        return _INVALID

    def _message(self, node: yaml.Node, text: str) -> _Message:
        mark = node.start_mark
        return _Message(mark.line + 1, mark.column + 1, self._file, text)

    def _mismatch(self, node: yaml.Node, wanted: str, *, show: bool = False) -> object:
        return self._error(
            node, f"cannot unmarshal {describe(node, show)} into {wanted}"
        )

    # -- values by type

    def _value(self, node: yaml.Node, kind: Any, depth: int) -> Any:
        self._nodes += 1
        if self._nodes > _MAX_NODES or depth > 2 * MAX_DEPTH:
            self._fail(node, "document contains excessive aliasing")
        origin = typing.get_origin(kind)
        if origin is types.UnionType or origin is typing.Union:
            (kind,) = (part for part in typing.get_args(kind) if part is not type(None))
            return None if is_null(node) else self._value(node, kind, depth)
        if choice := choice_of(kind):
            return self._chosen(node, choice, typing.get_args(kind)[0], depth)
        if origin in (tuple, list):
            return self._sequence(node, origin, typing.get_args(kind)[0], depth)
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return self._mapping(node, typing.get_args(kind)[1], depth)
        if is_dataclass(kind) and kind is not Secret:
            return self._record(node, cast("type[Any]", kind), depth)
        return self._scalar(node, kind)

    def _scalar(self, node: yaml.Node, kind: Any) -> Any:
        reader = scalar_reader(kind)
        if not isinstance(node, yaml.ScalarNode):
            return self._mismatch(node, reader.name)
        if foreign_tag(node):  # a password may begin with "!": do not show it
            return self._error(
                node, "custom tags are not supported: quote a value that begins with !"
            )
        if is_null(node):
            return self._zero(node, kind, reader)
        return self._read(node, reader)

    def _read(self, node: yaml.ScalarNode, reader: Reader) -> Any:
        if reader.plain_only and not is_plain(node):
            return self._mismatch(node, reader.name, show=reader.shown)
        return self._parsed(node, reader, node.value)

    def _parsed(self, node: yaml.Node, reader: Reader, text: str) -> Any:
        try:
            return reader.parse(text)
        except Mismatch:
            return self._mismatch(node, reader.name, show=reader.shown)
        except (ValueError, StartError) as error:
            return self._error(node, str(error))

    def _zero(self, node: yaml.Node, kind: Any, reader: Reader) -> Any:
        """Return what a null means: its own text, or in a list Go's zero value."""
        if reader.null is not None:
            return self._parsed(node, reader, reader.null)
        if kind in (str, int, float, bool, Secret):
            return kind()
        return self._mismatch(node, reader.name)

    def _sequence(self, node: yaml.Node, kind: Any, item: Any, depth: int) -> Any:
        if is_null(node):
            return kind()
        if not isinstance(node, yaml.SequenceNode):
            return self._mismatch(node, f"[]{_name(item)}")
        values = [self._value(child, item, depth + 1) for child in node.value]
        return _INVALID if _INVALID in values else kind(values)

    def _chosen(
        self, node: yaml.Node, choice: OneKey | OneOrMany, kind: Any, depth: int
    ) -> Any:
        if isinstance(choice, OneKey):
            return self._one_key(node, choice, depth)
        if isinstance(node, yaml.ScalarNode) and not is_null(node):
            item = self._value(node, typing.get_args(kind)[0], depth + 1)
            return _INVALID if item is _INVALID else (item,)
        return self._value(node, kind, depth)

    def _one_key(self, node: yaml.Node, choice: OneKey, depth: int) -> Any:
        if not isinstance(node, yaml.MappingNode):
            text = f"a {choice.what} must be a map: its name, a colon, its keys"
            return self._error(node, text)
        pairs = list(pairs_of(node, self._error, f"{choice.what} {{}} is repeated"))
        if not pairs:
            return choice.make("", None)
        if len(pairs) > 1:
            return self._error(node, f"{choice.what} must contain only one key")
        key, child = pairs[0]
        if key.value not in choice.kinds:
            near = difflib.get_close_matches(key.value, choice.kinds, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            return self._error(key, f"unknown {choice.what}: {key.value}{hint}")
        value = self._value(child, choice.kinds[key.value], depth + 1)
        return _INVALID if value is _INVALID else choice.make(key.value, value)

    def _mapping(self, node: yaml.Node, item: Any, depth: int) -> Any:
        if is_null(node):
            return {}
        if not isinstance(node, yaml.MappingNode):
            return self._mismatch(node, f"map[string]{_name(item)}")
        values: dict[str, Any] = {}
        for key, child in pairs_of(node, self._error, 'key "{}" already set in map'):
            values[key.value] = self._value(child, item, depth + 1)
        return _INVALID if _INVALID in values.values() else values

    def _record(self, node: yaml.Node, kind: type[Any], depth: int) -> Any:
        if inline := getattr(kind, "INLINE", ""):
            value = self._value(node, record_fields(kind)[inline], depth)
            return (
                _INVALID
                if value is _INVALID
                else self._build(node, kind, {inline: value})
            )
        if is_null(node):
            node = empty_mapping(node)
        if not isinstance(node, yaml.MappingNode):
            return self._mismatch(node, kind.__name__)
        known = record_fields(kind)
        values: dict[str, Any] = {}
        refused = False
        repeated = f"field {{}} already set in type {kind.__name__}"
        for key, child in pairs_of(node, self._error, repeated):
            if key.value not in known:
                refused |= self._unknown(key, child, kind, known)
            elif not is_null(child) or _null_text(known[key.value]) is not None:
                values[key.value] = self._value(child, known[key.value], depth + 1)
        if _INVALID in values.values():
            return _INVALID
        return self._build(node, kind, values, refused=refused)

    def _build(
        self, node: yaml.Node, kind: type[Any], values: Any, *, refused: bool = False
    ) -> Any:
        for missing in required(kind) - values.keys():
            return self._error(node, f"{missing} missing in {kind.__name__}")
        value = kind(**arguments(values))
        problems: list[Problem] = list(getattr(value, "problems", tuple)())
        for problem in problems:
            # What is wrong as a whole may follow from what had to be refused.
            if problem.path or not refused:
                self._error(follow(node, problem.path), problem.text)
        return _INVALID if problems else value

    def _unknown(
        self,
        key: yaml.Node,
        child: yaml.Node,
        kind: type[Any],
        known: Mapping[str, Any],
    ) -> bool:
        """Report a key that no field has; return whether it is a refused one."""
        name = key.value
        if name in gathered(kind, "ACCEPTED"):
            text = f"{name}: accepted, but has no effect here"
            self.warnings.append(self._message(key, text))
        elif name in gathered(kind, "REFUSED"):
            if not is_off(child):
                self._error(key, f"{name}: {gathered(kind, 'REFUSED')[name]}")
                return True
        else:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            # Of a line that lost its colon the secret may stand where a key should.
            risky = Secret in known.values() and not _KEY.fullmatch(name)
            shown = "<not shown>" if risky else name
            text = f"field {shown} not found in {kind.__name__}{hint}"
            if self._lenient and not near:
                self.warnings.append(self._message(key, f"{text}, ignored"))
            else:
                self._error(key, text)
        return False


def _null_text(kind: Any) -> str | None:
    is_scalar = typing.get_origin(kind) is Annotated
    return scalar_reader(kind).null if is_scalar else None


def _name(kind: Any) -> str:
    if isinstance(choice := choice_of(kind), OneKey):
        return f"{choice.what}s"
    if is_dataclass(kind) and isinstance(kind, type):
        return kind.__name__
    readable = kind in READERS or typing.get_origin(kind) in (Annotated, Literal)
    return scalar_reader(kind).name if readable else str(kind)


def _sorted(messages: Iterable[_Message]) -> list[str]:
    """Return each message once, in the order of the file."""
    return [
        f"{m.file}:{m.line}:{m.column}: {printable(m.text)}"
        for m in sorted(set(messages))
    ]


def printable(text: str) -> str:
    """Return *text* on one line: what is quoted there may hold anything."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode()
        for char in text
    )
