"""Command line flags as kingpin has them: typed values beside the code that reads them.

A `Flag` is declared where it is used, a `Program` collects the flags of one
executable, and `Values` answers ``values[FLAG]`` with the flag's own type.
Upstream counterpart: kingpin v2.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from . import builtin_flags as builtin, completion, gotext, kingpin, usage
from .duration import parse_go_duration
from .errors import UsageError
from .kinds import (
    Flag,
    T,
    boolean,
    choice,
    duration,
    floating,
    integer,
    string,
    strings,
)
from .version import print_version


__all__ = [
    "Flag",
    "HelpRequested",
    "InformationRequested",
    "Program",
    "Values",
    "VersionRequested",
    "boolean",
    "choice",
    "duration",
    "floating",
    "integer",
    "main",
    "string",
    "strings",
]

_NEWLINE = re.compile("\r?\n")


class Values:
    """Answer each flag of a parsed command line with its typed value."""

    __slots__ = ("_given", "_values")

    def __init__(self, values: Mapping[str, Any], given: frozenset[str]) -> None:
        self._values = values
        self._given = given

    def __getitem__(self, flag: Flag[T]) -> T:
        # The mapping was filled by this very flag's parse function or default.
        return cast("T", self._values[flag.name])

    def given(self, flag: Flag[Any]) -> bool:
        """Return whether *flag* was named on the command line itself."""
        return flag.name in self._given


class InformationRequested(Exception):  # noqa: N818 -- an answer, not an error
    """Carry *text* for stdout; the program ends with exit code 0."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class HelpRequested(InformationRequested):
    """The command line asked for ``--help``, ``--help-long`` or ``--help-man``."""


class VersionRequested(InformationRequested):
    """The command line asked for ``--version``."""


@dataclass(frozen=True, slots=True)
class Program:
    """One executable: its name as users see it, what it is, and its flags.

    *version_name* is what ``--version`` calls it, where upstream has another name.
    """

    name: str
    help: str
    flags: tuple[Flag[Any], ...]
    version_name: str = ""

    def parse(self, argv: Sequence[str], environ: Mapping[str, str]) -> Values:
        """Return the values for *argv* (without the program's own name).

        The order of kingpin's ``Application.Parse`` is kept: a bad environment
        variable is reported first, ``--version`` wins over a flag nobody knows,
        and that one wins over ``--help``.

        Raises:
            UsageError: kingpin's text, without the program's name around it.
            HelpRequested: with the text of the help.
            VersionRequested: with the text of the version.
        """
        flags = {flag.name: flag for flag in (*self.flags, *builtin.BUILT_IN)}
        found = kingpin.scan(
            argv,
            {name: flag.parse is None for name, flag in flags.items()},
            _read_lines,
        )
        asked = [match.name for match in found.matches if match.name in builtin.NAMES]
        if builtin.COMPLETION.name in asked:  # whatever else is wrong
            hints = {flag.name: flag.hints for flag in _shown(self)}
            raise HelpRequested("\n".join(completion.complete(argv, hints)))
        values = {} if asked else self._from_environment(environ, found)
        self._answer(asked, found, environ)
        values.update(_from_command_line(found.matches, flags))
        for flag in self.flags:
            values.setdefault(flag.name, flag.default)
        return Values(values, frozenset(match.name for match in found.matches))

    def _from_environment(
        self,
        environ: Mapping[str, str],
        found: kingpin.Scan,
    ) -> dict[str, Any]:
        """Return what the environment sets; a flag on the command line hides it."""
        given = {match.name for match in found.matches}
        values = {}
        for flag in self.flags:
            text = environ.get(flag.env, "") if flag.env else ""
            if text and flag.name not in given:
                values[flag.name] = _environment_value(flag, text)
        return values

    def _answer(
        self,
        asked: list[str],
        found: kingpin.Scan,
        environ: Mapping[str, str],
    ) -> None:
        """Raise what kingpin does before it looks at the flags' values."""
        for name in asked:
            if name == builtin.VERSION.name:
                raise VersionRequested(self._version())
            if name in builtin.HIDDEN_HELP:
                raise HelpRequested(self._hidden_help(name, environ))
        if found.error is not None:
            raise UsageError(found.error)
        if asked:
            raise HelpRequested(self.usage(environ))

    def _hidden_help(self, name: str, environ: Mapping[str, str]) -> str:
        if name == builtin.HELP_MAN.name:
            version = self._version().rstrip("\n")
            return usage.man_page(self.name, self.help, version, _rows(self))
        if name == builtin.BASH_SCRIPT.name:
            return completion.bash_script(self.name)
        if name == builtin.ZSH_SCRIPT.name:
            return completion.zsh_script(self.name)
        return self.usage(environ)

    def _version(self) -> str:
        return print_version(self.version_name or self.name)

    def usage(self, environ: Mapping[str, str]) -> str:
        """Return the text of ``--help``, as wide as COLUMNS or the terminal."""
        return usage.render(self.name, self.help, _rows(self), usage.width(environ))


def _from_command_line(
    matches: Sequence[kingpin.Match],
    flags: Mapping[str, Flag[Any]],
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, text in matches:
        flag = flags[name]
        if flag.repeatable:
            values[name] = (*values.get(name, ()), _parse(flag, text))
        elif name in values:
            raise UsageError(f"flag '{name}' cannot be repeated")
        else:
            values[name] = _parse(flag, text)
    return values


def _environment_value(flag: Flag[Any], text: str) -> Any:
    if not flag.repeatable:
        return _parse(flag, text)
    lines = _NEWLINE.split(re.sub("\r?\n\\Z", "", text))
    return tuple(_parse(flag, line) for line in lines)


def _parse(flag: Flag[Any], text: str) -> Any:
    try:
        return (flag.parse or gotext.parse_bool)(text)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _read_lines(path: str) -> list[str]:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read().split("\n")


def _shown(program: Program) -> list[Flag[Any]]:
    """Return the flags of the help, in kingpin's order: help first, version last."""
    return [
        flag
        for flag in (builtin.HELP, *program.flags, builtin.VERSION)
        if not flag.hidden
    ]


def _rows(program: Program) -> list[usage.Row]:
    """Return what the help shows of each flag."""
    return [
        usage.Row(
            name=flag.name,
            help=flag.help,
            value=None if flag.parse is None else _placeholder(flag),
            short="h" if flag is builtin.HELP else "",
            env=flag.env,
            repeatable=flag.repeatable,
        )
        for flag in _shown(program)
    ]


def _placeholder(flag: Flag[Any]) -> str:
    if flag.placeholder:
        return flag.placeholder
    return usage.placeholder(
        flag.name,
        flag.default if flag.repeatable else (flag.default,),
        is_duration=flag.parse is parse_go_duration,
        repeatable=flag.repeatable,
    )


# --- the way in -------------------------------------------------------------


def main(
    program: Program,
    argv: Sequence[str],
    environ: Mapping[str, str],
    run: Callable[[Values], int],
) -> int:
    """Parse *argv* and return the exit code of *run*.

    Help and version go to stdout with exit code 0, a usage error to stderr with 1.
    *run* may raise `UsageError` too, for what only a look at several flags tells.
    """
    try:
        return run(program.parse(argv, environ))
    except InformationRequested as information:
        sys.stdout.write(information.text)
        return 0
    except UsageError as error:
        sys.stderr.write(f"{program.name}: error: {error}, try --help\n")
        return 1
