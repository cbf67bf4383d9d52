"""Write the tables of docs/shipper.md: ``python -m docs.shipper``.

Keys, stages, metrics and the differences that a test states are told by the code; the
text around them is written by hand. A test fails when the tables are not what the code
says.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, get_args

from docs import cases, families
from docs.keys import Key, anchor, bases, own_keys, shape
from exporters.toolkit.yaml_records import record_fields
from shipper.config.http_client import HttpClientConfig
from shipper.config.model import Config
from shipper.config.proxy import ProxyConfig
from shipper.pipeline.stages import STAGES
from shipper.relabel import Action


PAGE: Final = Path(__file__).with_name("shipper.md")

_BEGIN: Final = "<!-- {name}: written by python -m docs.shipper -->"
_END: Final = "<!-- end of {name} -->"

_BASES: Final[Mapping[type[Any], str]] = {
    HttpClientConfig: "Keys of every HTTP client",
    ProxyConfig: "Keys of every proxy",
}
_NO_USE: Final = "accepted, without effect"
NOTES: Final[Mapping[str, str]] = {
    "BackoffConfig.max_retries": "done; not set is for ever, as `0` is",
    "ClientConfig.push_encoding": "ours, not promtail's",
    "DockerSDConfig.match_first_network": f"{_NO_USE}: of several networks and ports "
    "the first in sorted order gives the labels",
    "PositionsConfig.ignore_invalid_yaml": f"{_NO_USE}: no such file stops the start",
    "StaticConfig.targets": "done; a label `__address__`, nothing is asked",
    "match.pipeline_name": f"{_NO_USE}, in promtail too",
}
"""What the types cannot tell, by class or stage and key."""

_ACTIONS: Final[Mapping[str, str]] = {
    "replace": "set `target_label` to `replacement` where `regex` matches the sources",
    "keep": "drop the target unless `regex` matches the sources",
    "drop": "drop the target if `regex` matches the sources",
    "keepequal": "drop the target unless the sources equal `target_label`",
    "dropequal": "drop the target if the sources equal `target_label`",
    "hashmod": "set `target_label` to the MD5 of the sources modulo `modulus`",
    "labelmap": "copy labels whose names match `regex` to what `replacement` makes "
    "of the name; names that Loki cannot have are left out",
    "labeldrop": "take away labels whose names match `regex`",
    "labelkeep": "take away labels whose names do not match `regex`",
    "lowercase": "set `target_label` to the sources in small letters",
    "uppercase": "set `target_label` to the sources in capitals",
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


def rewrite(page: str, parts: Mapping[str, str]) -> str:
    """Return *page* with what is between the marks of each of *parts* replaced."""
    for name, text in parts.items():
        begin, end = _BEGIN.format(name=name), _END.format(name=name)
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"expected {begin!r} ... {end!r} in the page")
        page = f"{before}{begin}\n\n{text}\n\n{end}{after}"
    return page


# -- the sections of the file


def titles() -> dict[type[Any], str]:
    """Return every dataclass of the file, with where it first stands as its title."""
    found: dict[type[Any], str] = {Config: "The whole file"}
    pending: list[tuple[type[Any], str]] = [(Config, "")]
    while pending:
        kind, path = pending.pop(0)
        for name, annotated in record_fields(kind).items():
            text, record = shape(annotated)
            if record is None or record in found:
                continue
            many = {"list": "[]", "map:": ".*"}.get(text[:4], "")
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
    yield _doc(kind)
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
        line = (module.__doc__ or "").partition("\n\n")[0]
        others = [other for other in STAGES if STAGES[other] is config]
        heading = ", ".join(f"`{other}`" for other in [name, *others[:-1]])
        yield f"### {heading}\n\n{' '.join(line.replace('``', '`').split())}"
        yield "\n".join(_stage(name, config))


def _stage(name: str, config: type[Any]) -> Iterator[str]:
    yield f"{_doc(config)}\n"
    nested = _nested(config)
    if inline := getattr(config, "INLINE", ""):
        text, record = shape(record_fields(config)[inline])
        what = f"{text}the keys below" if record else text
        yield f"The value is itself a {what}."
    else:
        notes = {f"Config.{n.partition('.')[2]}": t for n, t in NOTES.items()
                 if n.startswith(f"{name}.")}  # fmt: skip
        yield from _table(own_keys(config, {}, notes))
    for kind, where in nested.items():
        yield f"\n{where}: {_doc(kind)}\n"
        yield from _table(own_keys(kind, nested, NOTES))


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
        yield f"| `{action}` | {_ACTIONS[action]} |"


def main() -> int:
    """Rewrite the page and return the exit code."""
    PAGE.write_text(rewrite(PAGE.read_text(), blocks()))
    sys.stdout.write(f"{PAGE} written\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
