"""promtail's command line (clients/cmd/promtail/main.go): file first, flags over it."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from exporters.toolkit import lifecycle, logs, version
from exporters.toolkit.datasize import parse_byte_size
from exporters.toolkit.decode import printable
from exporters.toolkit.errors import StartError

from .app import App
from .config.load import Loaded, parse, read
from .config.model import Config
from .config.traps import traps, unexpanded
from .goflag import FlagError, HelpWanted, parse_bool, parse_flags
from .override_flags import ACCEPTED, OVERRIDES
from .overrides import apply, with_client_url
from .road import Modes
from .show import show
from .spool.settings import SpoolSettings


log = logging.getLogger(__name__)

YOUNG_OBJECTS = 10_000
"""After so many new objects garbage is looked for; CPython's own number is 700.

A line is an object that lives for a moment and is never garbage. A million lines took
7.2 and 7.7 s of CPU on a busy machine, and 6.5 and 6.3 with this; as much memory.
"""

_PROGRAM = "promtail"

_SWITCHES = {
    "check-syntax": "Validate the config file of its syntax",
    "config.expand-env": "Expands ${var} in config according to the values of the "
    "environment variables.",
    "dry-run": "Start Promtail but print entries instead of sending them to Loki.",
    "inspect": "Allows for detailed inspection of pipeline stages",
    "log-config-reverse-order": "Dump the entire Loki config object at Info log level "
    "with the order reversed, reversing the order makes viewing the entries easier in "
    "Grafana.",
    "print-config-stderr": "Dump the entire Loki config object to stderr",
    "stdin": "Set to true to pipe logs to promtail.",
    "version": "Print this builds version information",
}
_CONFIG_FILE = "config.file"
_SPOOL_DIR = "spool.dir"
_SPOOL_BYTES = "spool.max-bytes"
OWN = {
    _SPOOL_DIR: "Folder for lines that neither memory nor Loki has room for. Default: "
    "the positions file's name with .spool behind it. Not a flag of promtail.",
    _SPOOL_BYTES: "How much may be kept there, for example 512MB; 0: nothing. Default "
    "1GB. Not a flag of promtail.",
}
"""Flags with a value that promtail does not have."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for."""

    files: tuple[str, ...]
    switches: frozenset[str]
    overrides: Mapping[str, str]
    without_effect: tuple[str, ...] = ()
    spool: SpoolSettings = field(default_factory=SpoolSettings)

    @property
    def checks(self) -> bool:
        """Say whether the config file is to be checked and nothing else."""
        return "check-syntax" in self.switches


def main(
    argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None
) -> int:
    """Run the shipper and return its exit code: 0, 1, or 2 for a wrong flag (Go)."""
    argv = sys.argv[1:] if argv is None else argv
    environ = os.environ if environ is None else environ
    try:
        options = parse_argv(argv)
    except HelpWanted:
        _tell(usage())
        return 0
    except FlagError as error:
        _tell(f"{error}\nUsage of {_PROGRAM}: see -help")
        return 2
    try:
        return _run(options, environ)
    except StartError as error:
        _tell(str(error))
        return 1


def parse_argv(argv: Sequence[str]) -> Options:
    """Return what *argv*, without the program's name, says.

    Raises:
        FlagError: as Go's package flag refuses it.
        HelpWanted: help was asked for.
    """
    boolean = dict.fromkeys(_SWITCHES, True) | {_CONFIG_FILE: False}
    boolean |= {name: flag.boolean for name, flag in OVERRIDES.items()}
    boolean |= {**ACCEPTED, **dict.fromkeys(OWN, False)}
    given = parse_flags(argv, boolean)
    for name, text in given.items():
        if name in OVERRIDES:
            OVERRIDES[name].check(text)
    switches = [name for name in _SWITCHES if name in given]
    return Options(
        tuple(filter(None, given.get(_CONFIG_FILE, "").split(","))),
        frozenset(name for name in switches if _is_on(name, given[name])),
        {name: text for name, text in given.items() if name in OVERRIDES},
        tuple(name for name in given if name in ACCEPTED),
        _spool(given),
    )


def _spool(given: Mapping[str, str]) -> SpoolSettings:
    text = given.get(_SPOOL_BYTES)
    if text is None:
        return SpoolSettings(given.get(_SPOOL_DIR, ""))
    try:
        limit = parse_byte_size(text)
    except ValueError as error:
        reason = f'invalid value "{text}" for flag -{_SPOOL_BYTES}: {error}'
        raise FlagError(reason) from None
    return SpoolSettings(given.get(_SPOOL_DIR, ""), limit)


def usage() -> str:
    """Return the text of -help, in the shape of Go's flag.PrintDefaults."""
    texts = {_CONFIG_FILE: "yaml file to load", **_SWITCHES}
    texts |= {name: flag.help for name, flag in OVERRIDES.items()}
    texts |= OWN | dict.fromkeys(ACCEPTED, "Accepted, without effect here.")
    lines = [f"  -{name}\n    \t{texts[name]}" for name in sorted(texts)]
    return "\n".join([f"Usage of {_PROGRAM}:", *lines])


def load(options: Options, environ: Mapping[str, str]) -> Loaded:
    """Read the config file that *options* name, and put the flags over it.

    Raises:
        StartError: the file or a flag is wrong; one line for each mistake.
    """
    expand = "config.expand-env" in options.switches
    path, data = read(options.files) if options.files else ("command line", b"")
    if url := options.overrides.get("client.url"):
        data = with_client_url(data, url, expand=expand)
    config, warnings = parse(data, path, environ if expand else None)
    config = apply(config, options.overrides)
    # What is piped in goes by no path, no rule and no other source.
    found = [] if _piped(options, config) else traps(config)
    found += [] if expand else unexpanded(data)
    shown = [trap.text for trap in found if trap.at_start or options.checks]
    return Loaded(config, path, (*warnings, *(f"{path}: {text}" for text in shown)))


def _run(options: Options, environ: Mapping[str, str]) -> int:
    if "version" in options.switches:
        sys.stdout.write(version.print_version(_PROGRAM))
        return 0
    if options.checks:
        return _check(options, environ)
    loaded = load(options, environ)
    logs.setup(loaded.config.server.log_level, loaded.config.server.log_format)
    _tell_config(options, show(loaded.config))
    _warn(options, loaded)
    log.info(
        "Starting Promtail",
        extra={"fields": {"version": version.info(), "config": loaded.path}},
    )
    app = App(loaded.config, lambda: load(options, environ), _modes(options, loaded))
    gc.freeze()  # what there is by now stays: a full collection need not look at it
    gc.set_threshold(YOUNG_OBJECTS)
    gc.enable()
    return lifecycle.run(app.serve, reload=_reload(app))


def _check(options: Options, environ: Mapping[str, str]) -> int:
    """``-check-syntax``: say what is wrong and what may hurt; the exit code."""
    if not options.files:
        raise StartError("Invalid config file")
    for warning in load(options, environ).warnings:
        _tell(f"warning: {printable(warning)}")
    sys.stdout.write("Valid config file! No syntax issues found\n")
    return 0


def _modes(options: Options, loaded: Loaded) -> Modes:
    return Modes(
        dry_run="dry-run" in options.switches,
        inspect="inspect" in options.switches,
        stdin=_piped(options, loaded.config),
        spool=options.spool,
    )


def _piped(options: Options, config: Config) -> bool:
    """Say whether standard input is read: the flag or the key of promtail's."""
    return "stdin" in options.switches or config.target_config.stdin


def _tell_config(options: Options, text: str) -> None:
    if "print-config-stderr" in options.switches:
        _tell(text)
    if "log-config-reverse-order" in options.switches:
        for line in reversed(text.splitlines()):
            log.info("%s", line)


def _warn(options: Options, loaded: Loaded) -> None:
    for warning in loaded.warnings:
        log.warning("%s", warning)
    for name in options.without_effect:
        log.warning("-%s: accepted, but has no effect here", name)


def _reload(app: App) -> Callable[[], Awaitable[None]]:
    """Return what SIGHUP does; `App.reload` logs what comes of it."""

    async def reload() -> None:
        await app.reload()

    return reload


def _is_on(name: str, text: str) -> bool:
    try:
        return parse_bool(text)
    except ValueError as error:
        raise FlagError(
            f'invalid boolean value "{text}" for -{name}: {error}'
        ) from None


def _tell(text: str) -> None:
    sys.stderr.write(text.rstrip("\n") + "\n")
