"""Metrics' names for statistics that drivers invent (collector/ethtool_linux.go)."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from exporters.node.families import name_part
from exporters.toolkit.regex import Regex


log = logging.getLogger(__name__)

_RECEIVED = re.compile("(^|_)rx(_|$)")
_TRANSMITTED = re.compile("(^|_)tx(_|$)")

# The driver's name -> the metric and its HELP, where upstream has better ones.
_KNOWN: Mapping[str, tuple[str, str]] = {
    "rx_bytes": ("received_bytes_total", "Network interface bytes received"),
    "rx_dropped": ("received_dropped_total", "Number of received frames dropped"),
    "rx_errors": ("received_errors_total", "Number of received frames with errors"),
    "rx_packets": ("received_packets_total", "Network interface packets received"),
    "tx_bytes": ("transmitted_bytes_total", "Network interface bytes sent"),
    "tx_errors": ("transmitted_errors_total", "Number of sent frames with errors"),
    "tx_packets": ("transmitted_packets_total", "Network interface packets sent"),
}


class Named(NamedTuple):
    """A statistic under the name that a scrape shows."""

    name: str
    help: str
    value: int


def metric_name(name: str) -> str:
    """Return the metric for *name*, a `name_part`; "" where nothing is left of it."""
    lower = name.lower().lstrip("_")
    lower = _RECEIVED.sub(r"\1received\2", lower)
    lower = _TRANSMITTED.sub(r"\1transmitted\2", lower)
    return f"node_ethtool_{lower}" if lower else ""


def named(statistics: Mapping[str, int], wanted: Regex, device: str) -> Iterator[Named]:
    """Yield those *statistics* of *device* whose sanitized name is *wanted*.

    Where two come to the same name nobody can tell them apart: none is shown.
    """
    found: dict[str, list[tuple[str, int]]] = {}
    for raw, value in statistics.items():
        name = name_part(raw)
        metric = metric_name(name)
        if metric and wanted.search(name):
            found.setdefault(metric, []).append((name, value))
    for metric, namesakes in found.items():
        if len(namesakes) > 1:
            log.debug("statistics of %s with one name: %s", device, namesakes)
            continue
        name, value = namesakes[0]
        suffix, text = _KNOWN.get(name, ("", f"Network interface {name}"))
        yield Named(f"node_ethtool_{suffix}" if suffix else metric, text, value)
