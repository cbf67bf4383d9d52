"""JSON as upstream's test fixtures hold it: structs of Go without tags (encoding/json).

Keys are the names of fields in any case, a field that is not there is zero, ``null``
is zero as well, and a field that nobody asks about does not matter.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import NamedTuple


class Record(NamedTuple):
    """One object: its fields by lower-case name, and where it was read."""

    path: str
    fields: Mapping[str, object]

    def integer(self, name: str, least: int = -(2**63), most: int = 2**63 - 1) -> int:
        """Return the field *name*. Raises ValueError."""
        value = self._field(name, 0)
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"{self.path}: {name}: expected an integer, got {value!r}")
        return value

    def unsigned(self, name: str, bits: int = 32) -> int:
        """Return the field *name*. Raises ValueError."""
        return self.integer(name, 0, 2**bits - 1)

    def text(self, name: str) -> str:
        """Return the field *name*. Raises ValueError."""
        value = self._field(name, "")
        if not isinstance(value, str):
            raise ValueError(  # noqa: TRY004 - the file is wrong, not the program
                f"{self.path}: {name}: expected a text, got {value!r}"
            )
        return value.encode("utf-8", "replace").decode()  # half a surrogate pair

    def packed(self, name: str) -> bytes:
        """Return the bytes of the field *name*, which are base64. Raises ValueError."""
        try:
            return base64.b64decode(self.text(name), validate=True)
        except ValueError as error:
            raise ValueError(f"{self.path}: {name}: {error}") from error

    def _field(self, name: str, zero: object) -> object:
        value = self.fields.get(name, zero)
        return zero if value is None else value


def parse_record(data: bytes, path: str) -> Record:
    """Return the object in *data*; *path* is for messages. Raises ValueError."""
    return _record(_parse(data, path), path)


def parse_records(data: bytes, path: str) -> list[Record]:
    """Return the objects of the list in *data*. Raises ValueError."""
    found = _parse(data, path)
    if found is None:
        return []
    if not isinstance(found, list):
        raise ValueError(f"{path}: expected a list of objects")  # noqa: TRY004
    return [_record(item, path) for item in found]


def _parse(data: bytes, path: str) -> object:
    try:
        return json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: {error}") from error


def _record(value: object, path: str) -> Record:
    if value is None:
        return Record(path, {})
    if not isinstance(value, dict):
        raise ValueError(f"{path}: expected an object")  # noqa: TRY004
    return Record(path, {name.lower(): item for name, item in value.items()})
