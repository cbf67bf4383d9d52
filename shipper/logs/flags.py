"""The flags of ``python -m shipper logs``, in logcli's spelling where it has them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn

from .errors import UsageError


DEFAULT_ADDRESS: Final = "http://localhost:3100"
_TRUE: Final = frozenset({"1", "t", "true"})
_EPILOG: Final = """\
examples:
  logs nginx                              the last 30 lines of the container nginx
  logs 'nginx |= "error"' --since 24h     those with a word in them
  logs '{job="docker"} | json' -f         follow a LogQL query
  logs '{job="docker"}' --limit 0 -o raw | grep ...
  logs --list-labels container_name

A query that is a bare word is looked up among the values of container_name,
container, compose_service, service, service_name, app and job, in this order.
Lines are printed oldest first; --newest-first prints them in logcli's order.

exit codes: 0 shown (or nothing found, or the reader of the pipe left), 1 no answer
or a refusal, 2 wrong usage, 130 ended by Ctrl-C
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where the server is and how it lets us in."""

    address: str = DEFAULT_ADDRESS
    username: str = ""
    password: str = field(default="", repr=False)
    bearer_token: str = field(default="", repr=False)
    bearer_token_file: str = ""
    org_id: str = ""
    tls_skip_verify: bool = False
    ca_cert: str = ""
    cert: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for; texts are not looked at yet."""

    query: str = ""
    connection: Connection = Connection()
    since: str = "1h"
    start: str = ""
    end: str = ""
    limit: int = 30
    batch: int = 1000
    forward: bool = False
    newest_first: bool = False
    follow: bool = False
    delay_for: int = 0
    output: str = "default"
    timezone: str = "Local"
    colored: bool = False
    no_labels: bool = False
    include_common_labels: bool = False
    include_labels: tuple[str, ...] = ()
    exclude_labels: tuple[str, ...] = ()
    quiet: bool = False
    stats: bool = False
    list_labels: str | None = None


class HelpWanted(Exception):  # noqa: N818 -- not an error
    """Carry the text of --help."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message, "--help lists the flags")


def parse_argv(argv: Sequence[str], environ: Mapping[str, str]) -> Options:
    """Return what *argv* and *environ* (LOKI_ADDR, ...) ask for.

    Raises:
        UsageError: a flag is unknown or its value wrong.
        HelpWanted: with the text of the help.
    """
    parser = _parser(environ)
    # Positionals of argparse cannot stand between flags; what it leaves over can.
    flags, words = parser.parse_known_args(list(argv))
    if flags.help:
        raise HelpWanted(parser.format_help())
    query = _only([word for word in words if word != "--"])
    if not query and flags.list_labels is None:
        raise UsageError("expected a query", "for example: logs nginx")
    if flags.limit < 0 or flags.batch < 1 or not 0 <= flags.delay_for <= 5:
        raise UsageError(
            "--limit is 0 (all) or more, --batch 1 or more, --delay-for 0 to 5"
        )
    names = Options.__dataclass_fields__.keys() & vars(flags).keys()
    given = {name: getattr(flags, name) for name in names}
    given |= {name: tuple(given[name]) for name in ("include_labels", "exclude_labels")}
    connection = {
        name: getattr(flags, name) for name in Connection.__dataclass_fields__
    }
    return Options(**given, query=query, connection=Connection(**connection))


def _only(words: Sequence[str]) -> str:
    for word in words:
        if word.startswith("-") and len(word) > 1:
            raise UsageError(f"unknown flag {word}", "--help lists the flags")
    if len(words) > 1:
        raise UsageError(
            f"expected one query, got {len(words)}: {' '.join(words)}",
            "put the query in single quotes",
        )
    return words[0] if words else ""


def _parser(environ: Mapping[str, str]) -> _Parser:
    parser = _Parser(
        prog="logs",
        usage="python -m shipper logs [flags] <query>",
        description="Show or follow the lines of a LogQL query.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument("-h", "--help", action="store_true", help="show this and exit")
    _add_connection(parser, environ)
    _add_range(parser)
    _add_output(parser)
    return parser


def _add_connection(parser: _Parser, environ: Mapping[str, str]) -> None:
    group = parser.add_argument_group("server (each also as LOKI_...)")

    def add(name: str, env: str, text: str, default: str = "", dest: str = "") -> None:
        group.add_argument(
            name,
            dest=dest or name.lstrip("-").replace("-", "_"),
            metavar="TEXT",
            default=environ.get(env) or default,
            help=f"{text} ({env})",
        )

    add("--addr", "LOKI_ADDR", "where it is", DEFAULT_ADDRESS, dest="address")
    add("--username", "LOKI_USERNAME", "for basic auth")
    add("--password", "LOKI_PASSWORD", "for basic auth")
    add("--bearer-token", "LOKI_BEARER_TOKEN", "instead of a name and a password")
    add("--bearer-token-file", "LOKI_BEARER_TOKEN_FILE", "the file that holds it")
    add("--org-id", "LOKI_ORG_ID", "the tenant, X-Scope-OrgID")
    add("--ca-cert", "LOKI_CA_CERT_PATH", "whom to trust")
    add("--cert", "LOKI_CLIENT_CERT_PATH", "our certificate")
    add("--key", "LOKI_CLIENT_KEY_PATH", "and its key")
    group.add_argument(
        "--tls-skip-verify",
        action="store_true",
        default=environ.get("LOKI_TLS_SKIP_VERIFY", "").lower() in _TRUE,
        help="trust any certificate (LOKI_TLS_SKIP_VERIFY)",
    )


def _add_range(parser: _Parser) -> None:
    group = parser.add_argument_group("which lines")
    add = group.add_argument
    add("--since", default="1h", metavar="TIME", help="how far back, default 1h")
    add("--from", dest="start", default="", metavar="TIME", help="first time shown")
    add("--to", dest="end", default="", metavar="TIME", help="first time left out")
    add("--limit", type=int, default=30, metavar="N", help="default 30; 0: all")
    add("--batch", type=int, default=1000, metavar="N", help="lines asked for at once")
    add("--forward", action="store_true", help="the oldest lines, not the newest")
    add("--newest-first", action="store_true", help="print in logcli's order")
    for names in (("--follow", "-f"), ("--tail", "-t")):
        add(*names, dest="follow", action="store_true", help="wait for more lines")
    add("--delay-for", type=int, default=0, metavar="S", help="let lines be sorted")
    add(
        "--list-labels",
        nargs="?",
        const="",
        default=None,
        metavar="NAME",
        help="show the names of labels, or the values of one",
    )


def _add_output(parser: _Parser) -> None:
    group = parser.add_argument_group("output")
    add = group.add_argument
    modes = ("default", "raw", "jsonl")
    add("--output", "-o", choices=modes, default="default", help=", ".join(modes),
        metavar="MODE")  # fmt: skip
    add("--timezone", "-z", default="Local", metavar="ZONE",
        help="Local, UTC or Europe/Berlin")  # fmt: skip
    add("--utc", dest="timezone", action="store_const", const="UTC", help="-z UTC")
    add("--colored-output", dest="colored", action="store_true",
        help="colours without a terminal")  # fmt: skip
    add("--no-labels", action="store_true", help="only time and line")
    add("--include-common-labels", action="store_true",
        help="also labels that all lines have")  # fmt: skip
    add("--include-label", dest="include_labels", action="append", default=[],
        metavar="NAME", help="only these labels")  # fmt: skip
    add("--exclude-label", dest="exclude_labels", action="append", default=[],
        metavar="NAME", help="not these labels")  # fmt: skip
    add("--quiet", "-q", action="store_true", help="nothing but lines")
    add("--stats", action="store_true", help="what the server had to do")
