"""A config as YAML text that anybody may see: secrets stay hidden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import yaml

from exporters.toolkit.decode import Secret
from exporters.toolkit.yaml_records import key_of
from shipper.config.url import ClientUrl


def show(config: Any) -> str:
    """Return the dataclass *config* as YAML, keys as in the file.

    promtail's ``/config`` and ``-print-config-stderr``; times are plain seconds.
    """
    return yaml.safe_dump(_plain(config), sort_keys=False, allow_unicode=True)


def _plain(value: Any) -> Any:
    match value:
        case Secret():
            plain: Any = "<secret>" if value else ""
        case ClientUrl():
            plain = value.text
        case None | bool() | int() | float():
            plain = value
        case Mapping():
            plain = {str(key): _plain(item) for key, item in value.items()}
        case (str() as name, config) if is_dataclass(config):
            plain = _stage(name, config)
        case list() | tuple():
            plain = [_plain(item) for item in value]
        case _ if is_dataclass(value):
            plain = _record(value)
        case _:
            plain = str(value)
    return plain


def _record(value: Any) -> Any:
    inline = getattr(value, "INLINE", "")
    if inline:
        return _plain(getattr(value, inline))
    names = [field.name for field in fields(value)]
    return {key_of(name): _plain(getattr(value, name)) for name in names}


def _stage(name: str, config: Any) -> dict[str, Any]:
    return {name: _plain(config)} if name else {}
