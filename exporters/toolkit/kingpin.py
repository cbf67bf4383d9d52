"""Split a command line into flags and values the way kingpin v2 does.

Pure: argument files are read through a function the caller gives.
Upstream counterpart: kingpin ``parser.go`` and ``flags.go``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Match(NamedTuple):
    """One flag met on the command line."""

    name: str
    value: str


@dataclass(slots=True)
class Scan:
    """What was understood before the end or the first *error*."""

    matches: list[Match] = field(default_factory=list)
    error: str | None = None


class ScanError(Exception):
    """Carry kingpin's text for a command line it refuses."""


def scan(
    argv: Sequence[str],
    flags: Mapping[str, bool],
    read_lines: Callable[[str], Iterable[str]],
) -> Scan:
    """Return the flags met in *argv*, in order.

    *flags* says of each known flag whether it is a boolean. *read_lines* returns
    the lines of an ``@file``; its `OSError` becomes kingpin's error text. A command
    line is scanned to its first error because ``--version`` before it still works.
    """
    scanner = _Scanner(list(argv), flags, read_lines)
    result = Scan()
    try:
        while (match := scanner.next_match()) is not None:
            result.matches.append(match)
    except ScanError as error:
        result.error = str(error)
    return result


class _Scanner:
    def __init__(
        self,
        arguments: list[str],
        flags: Mapping[str, bool],
        read_lines: Callable[[str], Iterable[str]],
    ) -> None:
        self._rest = arguments[::-1]
        self._flags = flags
        self._read_lines = read_lines

    def next_match(self) -> Match | None:
        argument = self._next_argument()
        if argument is None:
            return None
        if argument == "--":
            trailing = self._rest[-1] if self._rest else None
            if trailing is None:
                return None
            raise ScanError(f"unexpected {trailing}")
        if argument.startswith("--"):
            return self._long(argument[2:])
        if len(argument) > 1 and argument.startswith("-"):
            return self._short(argument[1:])
        raise ScanError(f"unexpected {'' if argument == '-' else argument}")

    def _next_argument(self) -> str | None:
        """Return the next argument with ``@file`` expanded."""
        while self._rest:
            argument = self._rest.pop()
            if not argument.startswith("@"):
                return argument
            self._rest.extend(reversed(self._expand(argument[1:])))
        return None

    def _expand(self, path: str) -> list[str]:
        if not path:
            raise ScanError("expected @ file to expand arguments from")
        try:
            lines = list(self._read_lines(path))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ScanError(
                f'failed to open arguments file "{path}": open {path}: '
                f"{reason[:1].lower()}{reason[1:]}",
            ) from error
        return [line for line in lines if line.strip() and not line.startswith("#")]

    def _long(self, body: str) -> Match:
        name, equals, value = body.partition("=")
        inverted = name not in self._flags and name.startswith("no-")
        flag = name.removeprefix("no-") if inverted else name
        is_boolean = self._flags.get(flag)
        if is_boolean is None or (inverted and not is_boolean):
            raise ScanError(f"unknown long flag '--{name}'")
        if not is_boolean:
            return Match(flag, value if equals else self._argument_of(f"--{name}"))
        if equals:  # kingpin takes the value for a positional argument
            raise ScanError(f"unexpected {value}")
        return Match(flag, "false" if inverted else "true")

    def _short(self, body: str) -> Match:
        if body == "h":
            return Match("help", "true")
        # Every 0.x exporter took one dash for long flags; kingpin would read a
        # cluster of one-letter flags, of which there is only -h. Taking the known
        # names is a superset of upstream.
        name = body.partition("=")[0]
        if name in self._flags or name.removeprefix("no-") in self._flags:
            return self._long(body)
        if body.startswith("h"):
            raise ScanError(f"unknown short flag '-{body[1]}'")
        raise ScanError(f"unknown short flag '-{body[0]}'")

    def _argument_of(self, flag: str) -> str:
        argument = self._next_argument()
        if argument is None or (argument.startswith("-") and argument != "-"):
            raise ScanError(f"expected argument for flag '{flag}'")
        return "" if argument == "-" else argument
