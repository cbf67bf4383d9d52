"""Fibre Channel host adapters (node_exporter collector/fibrechannel_linux.go).

The kernel's side is drivers/scsi/scsi_transport_fc.c.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from exporters.node.attributes import Attributes, list_devices
from exporters.node.families import Families
from exporters.node.integers import UINT64_MAX, unsigned
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import Metric


_LABELS = (  # attributes, too
    "speed",
    "port_state",
    "port_type",
    "port_id",
    "port_name",
    "fabric_name",
    "symbolic_name",
    "supported_classes",
    "supported_speeds",
    "dev_loss_tmo",
)
_HEXADECIMAL = frozenset({"port_id", "port_name", "fabric_name"})
_COUNTERS: Mapping[str, tuple[str, str]] = {  # file -> name, help
    "dumped_frames": ("dumped_frames_total", "Number of dumped frames"),
    "error_frames": ("error_frames_total", "Number of errors in frames"),
    "invalid_crc_count": (
        "invalid_crc_total",
        "Invalid Cyclic Redundancy Check count",
    ),
    "rx_frames": ("rx_frames_total", "Number of frames received"),
    "rx_words": ("rx_words_total", "Number of words received by host port"),
    "tx_frames": ("tx_frames_total", "Number of frames transmitted by host port"),
    "tx_words": ("tx_words_total", "Number of words transmitted by host port"),
    "seconds_since_last_reset": (
        "seconds_since_last_reset_total",
        "Number of seconds since last host port reset",
    ),
    "invalid_tx_word_count": (
        "invalid_tx_words_total",
        "Number of invalid words transmitted by host port",
    ),
    "link_failure_count": (
        "link_failure_total",
        "Number of times the host port link has failed",
    ),
    "loss_of_sync_count": (
        "loss_of_sync_total",
        "Number of failures on either bit or transmission word boundaries",
    ),
    "loss_of_signal_count": (
        "loss_of_signal_total",
        "Number of times signal has been lost",
    ),
    "nos_count": (
        "nos_total",
        "Number Not_Operational Primitive Sequence received by host port",
    ),
    "fcp_packet_aborts": ("fcp_packet_aborts_total", "Number of aborted packets"),
}


def create(context: Context) -> Collect:
    """Return the collector of ``/sys/class/fc_host``."""
    root = context.paths.sys("class", "fc_host")

    def collect() -> Iterator[Metric]:
        attributes, families = Attributes(), Families()
        for host in list_devices(root):
            add_host(families, attributes, host, f"{root}/{host}")
        yield from families
        attributes.raise_rejected()

    return collect


def add_host(families: Families, attributes: Attributes, host: str, path: str) -> None:
    """Add the adapter *host* and its counters, unless it has gone by now."""
    texts = {name: attributes.text(f"{path}/{name}") for name in _LABELS}
    if all(text is None for text in texts.values()):
        return
    labels = {name: text or "" for name, text in texts.items()}
    for name in _HEXADECIMAL:
        labels[name] = _without_prefix(labels[name])
    families.gauge(
        "node_fibrechannel_info",
        "Non-numeric data from /sys/class/fc_host/<host>, value is always 1.",
        1,
        {"fc_host": host, **labels},
    )
    is_off = texts["port_state"] in {None, "Unknown"}
    for file, (name, text) in _COUNTERS.items():
        # An adapter that is switched off has no statistics; upstream says 0 of it.
        count = 0 if is_off else attributes.value(f"{path}/statistics/{file}", unsigned)
        # All ones is what the firmware says of what it does not count.
        if count is not None and count != UINT64_MAX:
            families.counter(
                f"node_fibrechannel_{name}", text, count, {"fc_host": host}
            )


def _without_prefix(text: str) -> str:
    """Return *text* without its ``0x``, which is what its first two characters are."""
    return text[2:] if len(text) > 2 else text


COLLECTOR = CollectorSpec("fibrechannel", create)
