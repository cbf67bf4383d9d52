from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from exporters.nginx.plus.endpoints import CONNECTIONS, HTTP, LICENSE, STREAM
from exporters.nginx.plus.fields import Table
from exporters.nginx.plus.tables import LABELS
from tests.nginx.plus.server import documents


def _records() -> Iterator[tuple[Table, object]]:
    recorded = documents()
    for endpoint in (*HTTP, *STREAM, LICENSE, CONNECTIONS):
        for record in endpoint.records(recorded[endpoint.path]):
            yield record.table, record.content


def _find(content: object, path: str) -> object:
    for key in path.split("."):
        if not isinstance(content, dict):
            return None
        content = content.get(key)
    return content


def test_every_number_is_recorded_with_a_value_of_its_own() -> None:
    """A field read from the wrong place cannot hide behind an equal number."""
    numbers: dict[tuple[str, str], object] = {}
    for table, content in _records():
        for field in table.fields:
            value = _find(content, field.path)
            if value:
                numbers.setdefault((table.prefix, field.path), value)
    tables = {table.prefix: table for table, _ in _records()}
    expected = {
        (prefix, field.path) for prefix in tables for field in tables[prefix].fields
    }
    assert numbers.keys() == expected
    for prefix in tables:
        values = Counter(
            value
            for (where, _), value in numbers.items()
            if where == prefix and not isinstance(value, bool)
        )
        assert max(values.values(), default=1) == 1, prefix


def test_the_labels_of_the_tables() -> None:
    assert {label for table, _ in _records() for label in table.labels} == LABELS


def test_a_family_has_one_type_and_one_help() -> None:
    about: dict[str, tuple[str, str]] = {}
    for table in {table.prefix: table for table, _ in _records()}.values():
        for field in table.fields:
            name = field.family(table.prefix)
            same = about.setdefault(name, (field.type, field.help))
            assert same == (field.type, field.help), name
    assert len(about) == 132
