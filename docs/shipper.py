"""Write the tables of docs/shipper.md: ``python -m docs.shipper``.

Keys, stages, metrics and the differences that a test states are told by the code; the
text around them is written by hand. A test fails when the tables are not what the code
says.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, get_args

from docs import cases, families
from docs.keys import Key, anchor, bases, own_keys, shape
from docs.words import ABOUT, ACTIONS, NOTES
from exporters.toolkit.marked import rewrite
from exporters.toolkit.yaml_records import record_fields
from shipper.config.http_client import HttpClientConfig
from shipper.config.model import Config
from shipper.config.proxy import ProxyConfig
from shipper.pipeline.stages import STAGES
from shipper.relabel import Action


PAGE: Final = Path(__file__).with_name("shipper.md")

_UPSTREAM: Final = re.compile(r" \((?:promtail )?[\w/]*(?:\.go|/)\)")
_BASES: Final[Mapping[type[Any], str]] = {
    HttpClientConfig: "Keys of every HTTP client",
    ProxyConfig: "Keys of every proxy",
}


def blocks() -> dict[str, str]:
    """Return the generated parts of the page, by name."""
    return {
        "config": "\n\n".join(_sections()),
        "stages": "\n\n".join(_stages()),
        "actions": "\n".join(_actions()),
        "metrics": "\n".join(families.table()),
        "cases": "\n".join(cases.table()),
    }


def rewritten(page: str) -> str:
    """Return *page* with its generated parts as they are now."""
    return rewrite(page, blocks(), "docs.shipper")


# -- the sections of the file


def titles() -> dict[type[Any], str]:
    """Return every dataclass of the file, with where it first stands as its title."""
    found: dict[type[Any], str] = {Config: "The whole file"}
    pending: list[tuple[type[Any], str]] = [(Config, "")]
    while pending:
        kind, path = pending.pop(0)
        for name, annotated in record_fields(kind).items():
            text, record = shape(annotated)
            if record is None or record in found or f"{path}{name}" == "client":
                continue
            many = {"list": "[]", "map ": ".*"}.get(text[:4], "")
            found[record] = f"{path}{name}{many}"
            pending.append((record, f"{found[record]}."))
    return {**found, **_BASES}


def _sections() -> Iterator[str]:
    title = titles()
    for kind, name in title.items():
        yield "\n".join((f"### {_heading(name)}", "", *_about(kind, title)))
        yield "\n".join(_table(own_keys(kind, title, NOTES)))


def _heading(name: str) -> str:
    return name if " " in name else f"`{name}`"


def _about(kind: type[Any], title: Mapping[type[Any], str]) -> Iterator[str]:
    yield ABOUT.get(kind.__name__) or _doc(kind)
    for base in bases(kind):
        yield f"\nAlso [{title[base]}](#{anchor(title[base])})."


def _table(keys: Iterable[Key]) -> Iterator[str]:
    rows = [f"| {' | '.join(key)} |" for key in keys]
    if rows:
        yield "| key | value | default | state |"
        yield "|---|---|---|---|"
        yield from rows
    else:
        yield "It has no keys."


def _doc(thing: object) -> str:
    """Return the docstring of *thing* as Markdown."""
    return (inspect.getdoc(thing) or "").replace("``", "`").strip()


# -- stages and actions


def _stages() -> Iterator[str]:
    for name, config in STAGES.items():
        module = import_module(config.__module__)
        if not module.__name__.endswith(f".{name}"):  # a second name of a stage
            continue
        line = _summary(module.__doc__ or "")
        others = [other for other in STAGES if STAGES[other] is config]
        heading = ", ".join(f"`{other}`" for other in [name, *others[:-1]])
        yield f"### {heading}\n\n{line}"
        yield "\n".join(_stage(name, config))


def _summary(doc: str) -> str:
    """Return what a stage's module says it is for, without where upstream has it."""
    line = " ".join(doc.partition("\n\n")[0].split())
    line = _UPSTREAM.sub("", line.partition(": ")[2])
    return line[:1].upper() + line[1:]


def _stage(name: str, config: type[Any]) -> Iterator[str]:
    if record_fields(config):
        yield f"{_doc(config)}\n"
    nested = _nested(config)
    if inline := getattr(config, "INLINE", ""):
        text, record = shape(record_fields(config)[inline])
        what = f"{text}records with the keys below" if record else text
        yield f"The value is itself a {what}."
    else:
        notes = {f"Config.{n.partition('.')[2]}": t for n, t in NOTES.items()
                 if n.startswith(f"{name}.")}  # fmt: skip
        yield from _table(own_keys(config, {}, notes))
    for kind, where in nested.items():
        yield f"\n{where}: {_doc(kind)}\n"
        yield from _table(own_keys(kind, dict.fromkeys(nested, ""), NOTES))


def _nested(config: type[Any]) -> dict[type[Any], str]:
    """Return the dataclasses inside a stage's keys, with their places."""
    found: dict[type[Any], str] = {}
    pending = [config]
    while pending:
        for name, annotated in record_fields(pending.pop()).items():
            record = shape(annotated).record
            if record is not None and record not in found:
                found[record] = f"`{name}`"
                pending.append(record)
    return found


def _actions() -> Iterator[str]:
    yield "| action | what it does |"
    yield "|---|---|"
    for action in get_args(Action):
        yield f"| `{action}` | {ACTIONS[action]} |"


def main() -> int:
    """Rewrite the page and return the exit code."""
    PAGE.write_text(rewritten(PAGE.read_text()))
    sys.stdout.write(f"{PAGE} written\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
