"""What has to be known of the command line before it can be parsed.

Which flags there are depends on the collectors, and those on two of the flags. What is
wrong with a command line is found later, when it is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from exporters.toolkit.flags import Flag


def values_of(flag: Flag[Any], argv: Iterable[str]) -> Iterator[str]:
    """Yield the texts that *argv* gives to *flag*, which takes a value."""
    pattern = re.compile(rf"--?{re.escape(flag.name)}(?:=(.*))?", re.DOTALL)
    arguments = iter(_expanded(argv))
    for argument in arguments:
        if found := pattern.fullmatch(argument):
            value = next(arguments, None) if found[1] is None else found[1]
            if value is not None:
                yield value


def names_of(argv: Iterable[str]) -> frozenset[str]:
    """Return the names of all flags that *argv* may give, ``--no-x`` as both.

    Some are none: what looks like a flag may be the value of another.
    """
    given = (a.lstrip("-").partition("=")[0] for a in _expanded(argv) if a[:1] == "-")
    return frozenset(
        name for flag in given for name in (flag, flag.removeprefix("no-"))
    )


def _expanded(argv: Iterable[str]) -> Iterator[str]:
    """Yield *argv* with the lines of each ``@file`` in its place."""
    for argument in argv:
        if not argument.startswith("@"):
            yield argument
            continue
        try:
            with open(argument[1:], encoding="utf-8", errors="surrogateescape") as file:
                lines = [line.rstrip("\n") for line in file]
        except OSError:
            continue
        yield from (line for line in lines if line.strip() and not line.startswith("#"))
