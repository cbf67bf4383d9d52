"""Read promtail's config file: bytes, then variables, then YAML, then ``Config``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exporters.toolkit.decode import DecodeError, decode
from exporters.toolkit.errors import StartError
from shipper.config.expand_env import ExpandError, expand_env as expand
from shipper.config.model import Config


@dataclass(frozen=True, slots=True)
class Loaded:
    """A config, the file it came from, and what to warn about, one line each."""

    config: Config
    path: str
    warnings: tuple[str, ...]


def load(
    paths: Sequence[str], *, expand_env: bool, environ: Mapping[str, str]
) -> Loaded:
    """Load the first of *paths* that exists.

    *expand_env* replaces ``${VAR}`` from *environ* first. Raises StartError: one line
    if the file cannot be read, a DecodeError with every mistake if it is wrong.
    """
    path, data = read(paths)
    config, warnings = parse(data, path, environ if expand_env else None)
    return Loaded(config, path, warnings)


def read(paths: Sequence[str]) -> tuple[str, bytes]:
    """Return path and content of the first of *paths* that exists."""
    for path in paths:
        try:
            with open(path, "rb") as file:
                return path, file.read()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise StartError(f"{path}: cannot be read: {error.strerror}") from None
    wanted = " or ".join(paths) or "-config.file"
    raise StartError(f"{wanted}: no such config file")


def parse(
    data: bytes, path: str, environ: Mapping[str, str] | None
) -> tuple[Config, tuple[str, ...]]:
    """Return the config in *data* and its warnings; *environ* None expands nothing."""
    if environ is not None:
        data = _expanded(data, path, environ)
    warnings: list[str] = []
    config = decode(data, Config, path, warnings)
    if config.client is not None and config.client.url.text:
        warnings.append(f"{path}: client is deprecated, put it into clients")
    return config, tuple(warnings)


def _expanded(data: bytes, path: str, environ: Mapping[str, str]) -> bytes:
    text = data.decode("utf-8", "surrogateescape")
    try:
        expanded = expand(text, environ)
    except ExpandError as error:
        line = text.count("\n", 0, error.offset) + 1
        column = error.offset - text.rfind("\n", 0, error.offset)
        place = f"{path}:{line}:{column}"
        raise DecodeError([f"{place}: -config.expand-env: {error}"]) from None
    return expanded.encode("utf-8", "surrogateescape")
