"""The page ``/config``: the configuration that is in use, secrets hidden."""

from __future__ import annotations

from .document import Frame, document
from .markup import tag


def config_page(text: str, frame: Frame) -> str:
    """Return ``/config`` as HTML; *text* is YAML from `shipper.show`."""
    return document("config", tag("div", tag("pre", text), class_="card"), frame)
