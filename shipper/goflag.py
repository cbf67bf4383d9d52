"""A command line as Go's package flag reads it, which is how promtail's is read.

``-name value``, ``-name=value``, one or two dashes alike; a boolean takes no value
but ``-name=false``; the first word without a dash ends the flags.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})


class FlagError(Exception):
    """A command line Go would refuse, with Go's text; exit code 2."""


class HelpWanted(Exception):  # noqa: N818 - not an error
    """``-h`` or ``-help`` was given."""


def parse_flags(argv: Sequence[str], boolean: Mapping[str, bool]) -> dict[str, str]:
    """Return the given flags and their texts; the last one wins.

    *boolean* names every flag and says whether it stands without a value.

    Raises:
        FlagError: an unknown flag, a missing value.
        HelpWanted: help was asked for.
    """
    given: dict[str, str] = {}
    words = list(argv)
    while words:
        word = words.pop(0)
        if len(word) < 2 or not word.startswith("-"):
            break
        dashes = 2 if word.startswith("--") else 1
        if word == "--":
            break
        name, equals, value = word[dashes:].partition("=")
        if not name or name.startswith("-"):
            raise FlagError(f"bad flag syntax: {word}")
        if name not in boolean:
            if name in {"h", "help"}:
                raise HelpWanted
            raise FlagError(f"flag provided but not defined: -{name}")
        if boolean[name]:
            value = value if equals else "true"
        elif not equals:
            if not words:
                raise FlagError(f"flag needs an argument: -{name}")
            value = words.pop(0)
        given[name] = value
    return given


def parse_bool(text: str) -> bool:
    """Return what strconv.ParseBool makes of *text*; ValueError for anything else."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError("parse error")
