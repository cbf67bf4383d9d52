"""``drop``: drop lines that meet every condition given (promtail stages/drop.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, TypeVar

from exporters.toolkit.datasize import parse_byte_size
from exporters.toolkit.decode import OneOrMany, Problem
from exporters.toolkit.duration import parse_nanoseconds
from exporters.toolkit.regex import Regex, RegexError
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop
from shipper.pipeline.text import search, to_bytes
from shipper.pipeline.values import text_of


T = TypeVar("T")
Condition = Callable[[Record], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The conditions; an empty *source* list is one that every line meets."""

    source: Annotated[tuple[str, ...], OneOrMany()] | None = None
    separator: str = ";"
    value: str | None = None
    expression: str | None = None
    older_than: str | None = None
    longer_than: str | None = None
    drop_counter_reason: str = ""

    def problems(self) -> Iterator[Problem]:
        given = (self.source, self.expression, self.older_than, self.longer_than)
        if all(item is None for item in given):
            yield Problem(
                "drop stage config must contain at least one of `source`, "
                "`expression`, `older_than` or `longer_than`"
            )
        elif self.value is not None and self.source is None:
            text = "drop stage config must contain `source` if `value` is specified"
            yield Problem(text, ("value",))
        if self.value is not None and self.expression is not None:
            yield Problem(
                "drop stage config error, `value` and `expression` "
                "cannot both be defined at the same time.",
                ("value",),
            )
        yield from self._unreadable()

    def _unreadable(self) -> Iterator[Problem]:
        texts = {
            "expression": "drop stage regex compilation error: {}",
            "older_than": f"drop stage invalid duration, {self.older_than} "
            "cannot be converted to a duration: {}",
            "longer_than": "drop stage failed to parse longer_than to bytes: {}",
        }
        parsers = (Regex, parse_nanoseconds, parse_byte_size)
        for (key, text), parse in zip(texts.items(), parsers, strict=True):
            try:
                _parsed(parse, getattr(self, key))
            except (ValueError, RegexError) as error:
                yield Problem(text.format(error), (key,))

    def build(self, workshop: Workshop) -> Filter:
        """Return the stage."""
        return _Drop(self, workshop)


class _Drop(Filter):
    """Drops what meets all conditions; the cheap ones are asked first."""

    def __init__(self, config: Config, workshop: Workshop) -> None:
        self._meters = workshop.meters
        self._reason = config.drop_counter_reason or "drop_stage"
        self._conditions = tuple(_conditions(config, workshop))

    def apply(self, record: Record) -> bool:
        for condition in self._conditions:
            if not condition(record):
                return True
        self._meters.dropped(self._reason)
        return False


def _parsed(parse: Callable[[str], T], text: str | None) -> T | None:
    return None if text is None else parse(text)


def _conditions(config: Config, workshop: Workshop) -> Iterator[Condition]:
    if config.longer_than is not None:
        yield _longer_than(parse_byte_size(config.longer_than))
    if config.older_than is not None:
        yield _older_than(parse_nanoseconds(config.older_than), workshop.now_ns)
    matches = _matcher(config)
    if config.source is None:
        if matches is not None:
            yield lambda record: matches(record.line)
    elif matches is None:
        yield _has_all(config.source)
    else:
        yield _joined(config.source, config.separator, matches)


def _longer_than(size: int) -> Condition:
    def is_longer(record: Record) -> bool:
        line = record.line
        if line.isascii():
            return len(line) > size
        return len(to_bytes(line)) > size

    return is_longer


def _older_than(age_ns: int, now_ns: Callable[[], int]) -> Condition:
    return lambda record: record.timestamp_ns < now_ns() - age_ns


def _matcher(config: Config) -> Callable[[str], bool] | None:
    if config.value is not None:
        return config.value.__eq__
    if config.expression is None:
        return None
    regex = Regex(config.expression)
    return lambda text: search(regex, text)


def _has_all(names: tuple[str, ...]) -> Condition:
    return lambda record: all(name in record.extracted for name in names)


def _joined(
    names: tuple[str, ...], separator: str, matches: Callable[[str], bool]
) -> Condition:
    """Test what of *names* was extracted, joined; what is no text is never dropped."""

    def is_match(record: Record) -> bool:
        parts = []
        for name in names:
            if name in record.extracted:
                text = text_of(record.extracted[name])
                if text is None:
                    return False
                parts.append(text)
        return matches(separator.join(parts))

    return is_match
