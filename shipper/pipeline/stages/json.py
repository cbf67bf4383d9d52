"""``json``: extract values by JMESPath expressions (promtail stages/json.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from exporters.toolkit.decode import Problem
from shipper.pipeline.gojson import MalformedError, marshal, parse_object, parse_quickly
from shipper.pipeline.jmes import JmesError, Search, compile_jmes, path_of
from shipper.pipeline.record import Extracted, Record
from shipper.pipeline.stage import Filter, Meters, Workshop


DROP_REASON = "json_stage"
"""promtail drops malformed lines without counting them."""

_LARGE = 1 << 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What is extracted under which name; no expression: the key of that name."""

    expressions: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    drop_malformed: bool = False

    def problems(self) -> Iterator[Problem]:
        if not self.expressions:
            yield Problem("JMES expression is required")
        if self.source == "":
            yield Problem("empty source", ("source",))
        for name, expression in self.expressions.items():
            try:
                compile_jmes(expression or name)
            except JmesError as error:
                text = f"could not compile JMES expression: {error}"
                yield Problem(text, ("expressions", name))

    def build(self, workshop: Workshop) -> Filter:
        """Return the stage."""
        return _Extract(self, workshop.meters)


class _Extract(Filter):
    """Sets what each expression finds, nothing found included."""

    def __init__(self, config: Config, meters: Meters) -> None:
        self._source = config.source
        self._drops = config.drop_malformed
        self._meters = meters
        self._searches: list[tuple[str, Search]] = []
        self._keys: list[tuple[str, str]] = []
        self._paths: list[tuple[str, Search]] = []
        self._is_quick = True
        for name, expression in config.expressions.items():
            self._add(name, expression or name)

    def _add(self, name: str, expression: str) -> None:
        search = compile_jmes(expression)
        path = path_of(expression)
        self._searches.append((name, search))
        if path is None:
            self._is_quick = False
        elif len(path) == 1:
            self._keys.append((name, path[0]))
        else:
            self._paths.append((name, search))

    def apply(self, record: Record) -> bool:
        text = record.source(self._source)
        if text is None:
            return True
        if self._is_quick:
            data = parse_quickly(text)
            if data is not None and self._extract_quickly(record.extracted, data):
                return True
        return self._extract_exactly(record.extracted, text)

    def _extract_quickly(self, extracted: Extracted, data: dict[str, Any]) -> bool:
        """Set what is found; return False at the first that may be something else."""
        for name, key in self._keys:
            value = data.get(key)
            kind = type(value)
            if (
                kind is str
                or value is None
                or (value and kind is float)
                or kind is bool
            ):
                extracted[name] = value
            else:
                return False
        for name, search in self._paths:
            value = search(data)
            kind = type(value)
            if kind is str or value is None or kind is bool:
                extracted[name] = value
            elif value and (kind is float or kind is int) and abs(value) < _LARGE:
                extracted[name] = float(value)
            else:
                return False
        return True

    def _extract_exactly(self, extracted: Extracted, text: str) -> bool:
        try:
            data = parse_object(text)
        except MalformedError:
            if self._drops:
                self._meters.dropped(DROP_REASON)
            return not self._drops
        for name, search in self._searches:
            try:
                extracted[name] = _value(search(data))
            except (JmesError, TypeError):
                continue  # a function that does not go with this line's types
        return True


def _value(found: Any) -> Any:
    """Return *found* as it is extracted: a list or a map as JSON text."""
    match found:
        case str() | bool() | None | float():
            return found
        case int():
            return float(found)
    return marshal(found)
