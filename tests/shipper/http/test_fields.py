from __future__ import annotations

import pytest

from shipper.http.fields import Fields


def test_names_in_any_spelling() -> None:
    fields = Fields({"X-A": "1", "Y": "2"})
    fields.add("x-a", "3")
    assert "X-a" in fields
    assert "Z" not in fields
    assert fields["x-A"] == "1"
    assert fields.getall("X-A") == ["1", "3"]
    assert list(fields.items()) == [("X-A", "1"), ("Y", "2"), ("x-a", "3")]
    fields["X-a"] = "4"
    assert list(fields.items()) == [("Y", "2"), ("X-a", "4")]
    fields.discard("y")
    fields.discard("none")
    assert dict(fields) == {"X-a": "4"}
    with pytest.raises(KeyError):
        fields["y"]


def test_a_copy_is_another_one() -> None:
    first = Fields([("a", "1")])
    second = first.copy()
    second["a"] = "2"
    assert first["A"] == "1"


def test_no_value_is_shown() -> None:
    assert repr(Fields({"Authorization": "hunter2", "B": "c"})) == (
        "Fields(Authorization, B)"
    )
