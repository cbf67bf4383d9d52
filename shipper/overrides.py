"""The config with the flags put over it that win over the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import yaml

from exporters.toolkit.errors import StartError

from .config.model import ClientConfig, Config
from .override_flags import OVERRIDES


def apply(config: Config, overrides: Mapping[str, str]) -> Config:
    """Return *config* with the flags *overrides* put over it.

    Raises:
        StartError: one line for each thing that is wrong then.
    """
    for name, text in overrides.items():
        flag = OVERRIDES[name]
        if flag.path[0] == "client" and config.client is None:
            config = replace(config, client=ClientConfig())
        config = _with(config, flag.path, flag.check(text))
    found = [problem.text for problem in config.problems()]
    found += [f"server: {problem.text}" for problem in config.server.problems()]
    if overrides and found:
        raise StartError("\n".join(f"command line: {text}" for text in found))
    return config


def with_client_url(data: bytes, url: str, *, expand: bool) -> bytes:
    """Return the YAML *data* with a ``client`` when it names no client at all.

    ``-client.url`` may be the only client; the file alone would be refused then.
    """
    try:
        root = yaml.compose(data, yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError):
        return data  # the decoder says it better
    if isinstance(root, yaml.MappingNode):
        keys = {key.value for key, _ in root.value}
        if root.flow_style or keys & {"client", "clients"}:
            return data
    elif root is not None:
        return data
    text = url.replace("$", "$$") if expand else url
    quoted = yaml.safe_dump({"client": {"url": text}}, default_flow_style=False)
    return data.rstrip() + b"\n" + quoted.encode()


def _with(record: Any, path: tuple[str, ...], value: Any) -> Any:
    """Return the dataclass *record* with the field at *path* replaced."""
    head, *rest = path
    if rest:
        value = _with(getattr(record, head), tuple(rest), value)
    return replace(record, **{head: value})
