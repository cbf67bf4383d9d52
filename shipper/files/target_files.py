"""Groups of targets in files of ``file_sd_configs``, YAML or JSON. Pure.

As prometheus discovery/file and discovery/targetgroup: strict, and a file is good or
bad as a whole.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from exporters.toolkit.decode import DecodeError, Problem, decode
from shipper.files.target import StaticConfig
from shipper.relabel import label_problems


FILEPATH: Final = "__meta_filepath"

_ESCAPE: Final = re.compile(
    r"\\(?:u(?P<high>d[89ab]..)\\u(?P<low>d[c-f]..)|u(?P<lone>d[89a-f]..)|.)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroup:
    """Targets and their labels; unlike ``static_configs`` no targets are none."""

    targets: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    def problems(self) -> Iterator[Problem]:
        return label_problems(self.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """The content of one file."""

    INLINE: ClassVar[str] = "groups"

    groups: tuple[TargetGroup, ...] = ()


def parse(data: bytes, path: str) -> list[StaticConfig]:
    """Return the groups in *data*, which *path* held.

    Raises DecodeError: every mistake as ``file:line:col: text``.
    """
    if os.path.splitext(path)[1].lower() == ".json":
        data = _checked(data, path)
    groups = decode(data, _File, path).groups
    return [
        StaticConfig(group.targets, {**group.labels, FILEPATH: path})
        for group in groups
    ]


def _checked(data: bytes, path: str) -> bytes:
    """Return the JSON document *data* as YAML, character by character in its place."""
    try:
        text = data.decode()
        json.loads(text)
    except UnicodeDecodeError as error:
        place = f"{path}:{data.count(10, 0, error.start) + 1}:1"
        raise DecodeError([f"{place}: not UTF-8"]) from error
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}:{error.colno}"
        raise DecodeError([f"{place}: not JSON: {error.msg}"]) from error
    except RecursionError as error:
        raise DecodeError([f"{path}:1:1: not JSON: nested too deeply"]) from error
    # Only between tokens may JSON hold a tab, and there YAML knows none.
    return _ESCAPE.sub(_whole, text.replace("\t", " ")).encode()


def _whole(found: re.Match[str]) -> str:
    """Return an escape of JSON's as YAML's: two halves are one character there."""
    if found["low"]:
        halves = bytes.fromhex(found["high"] + found["low"])
        return f"\\U{ord(halves.decode('utf-16-be')):08x}"
    return "\\ufffd" if found["lone"] else found[0]
