"""Memory errors that ECC found (node_exporter collector/edac_linux.go).

The kernel's side is Documentation/admin-guide/ras.rst: memory controllers (mc) have
rows of chips (csrow), and these have channels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from exporters.node.attributes import Attributes
from exporters.node.families import Families
from exporters.node.integers import decimal
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import Metric


_CONTROLLER = re.compile(r"mc([0-9]+)")
_ROW = re.compile(r"csrow([0-9]+)")
_CHANNEL = re.compile(r"ch([0-9]+)_ce_count")
_KINDS = {"ce": "correctable", "ue": "uncorrectable"}


def create(context: Context) -> Collect:
    """Return the collector of ``/sys/devices/system/edac/mc``."""
    root = context.paths.sys("devices", "system", "edac", "mc")

    def collect() -> Iterator[Metric]:
        attributes, families = Attributes(), Families()
        for name in attributes.names(root):
            if found := _CONTROLLER.match(name):
                add_controller(families, attributes, f"{root}/{name}", found[1])
        yield from families
        attributes.raise_rejected()

    return collect


def add_controller(
    families: Families, attributes: Attributes, path: str, controller: str
) -> None:
    """Add the errors of a memory controller, and of its rows."""
    labels = {"controller": controller}
    unknown = {**labels, "csrow": "unknown"}
    for kind, word in _KINDS.items():
        count = attributes.value(f"{path}/{kind}_count", decimal)
        _add(families, f"{word}_errors", f"{word} memory errors.", count, labels)
        count = attributes.value(f"{path}/{kind}_noinfo_count", decimal)
        _add_row_errors(families, word, count, unknown)
    for name in attributes.names(path):
        if found := _ROW.match(name):
            row = {**labels, "csrow": found[1]}
            _add_row(families, attributes, f"{path}/{name}", row)


def _add_row(
    families: Families, attributes: Attributes, path: str, labels: Mapping[str, str]
) -> None:
    for kind, word in _KINDS.items():
        count = attributes.value(f"{path}/{kind}_count", decimal)
        _add_row_errors(families, word, count, labels)
    for name in attributes.names(path):
        if found := _CHANNEL.fullmatch(name):
            _add_channel(families, attributes, f"{path}/ch{found[1]}", labels, found[1])


def _add_channel(
    families: Families,
    attributes: Attributes,
    prefix: str,
    labels: Mapping[str, str],
    channel: str,
) -> None:
    label = attributes.text(f"{prefix}_dimm_label")
    all_labels = {
        **labels,
        "channel": channel,
        "dimm_label": "unknown" if label is None else dimm_label(label),
    }
    for kind, word in _KINDS.items():
        count = attributes.value(f"{prefix}_{kind}_count", decimal)
        _add(
            families,
            f"channel_{word}_errors",
            f"{word} memory errors for this channel.",
            count,
            all_labels,
        )


def dimm_label(text: str) -> str:
    """Return a label as upstream has it.

    The kernel's own ``mc#0csrow#1channel#0`` becomes ``mc0_csrow1_channel0``.
    """
    plain = text.replace("#", "")
    return plain.replace("csrow", "_csrow").replace("channel", "_channel")


def _add_row_errors(
    families: Families, word: str, count: int | None, labels: Mapping[str, str]
) -> None:
    text = f"{word} memory errors for this csrow."
    _add(families, f"csrow_{word}_errors", text, count, labels)


def _add(
    families: Families,
    name: str,
    text: str,
    count: int | None,
    labels: Mapping[str, str],
) -> None:
    if count is not None:
        families.counter(f"node_edac_{name}_total", f"Total {text}", count, labels)


COLLECTOR = CollectorSpec("edac", create)
