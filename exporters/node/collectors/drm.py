"""AMD graphics cards (node_exporter collector/drm_linux.go).

The kernel's side is Documentation/gpu/amdgpu/driver-misc.rst.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping

from exporters.node import device_files, sysfs
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import GaugeMetricFamily, Metric


log = logging.getLogger(__name__)

Card = Mapping[str, str]
"""What a card's device has, by file name."""

# file -> (family without "node_drm_", HELP)
_NUMBERS = {
    "gpu_busy_percent": ("gpu_busy_percent", "How busy the GPU is as a percentage."),
    "mem_info_gtt_total": (
        "memory_gtt_size_bytes",
        "The size of the graphics translation table (GTT) block in bytes.",
    ),
    "mem_info_gtt_used": (
        "memory_gtt_used_bytes",
        "The used amount of the graphics translation table (GTT) block in bytes.",
    ),
    "mem_info_vis_vram_total": (
        "memory_vis_vram_size_bytes",
        "The size of visible VRAM in bytes.",
    ),
    "mem_info_vis_vram_used": (
        "memory_vis_vram_used_bytes",
        "The used amount of visible VRAM in bytes.",
    ),
    "mem_info_vram_total": (
        "memory_vram_size_bytes",
        "The size of VRAM in bytes.",
    ),
    "mem_info_vram_used": (
        "memory_vram_used_bytes",
        "The used amount of VRAM in bytes.",
    ),
}
# label -> file
_TEXTS = {
    "memory_vendor": "mem_info_vram_vendor",
    "power_performance_level": "power_dpm_force_performance_level",
    "unique_id": "unique_id",
}
_CARD = re.compile(r"card[0-9]+")  # its outputs are called card0-DP-1


def create(context: Context) -> Collect:
    """Return the collector."""
    path = context.paths.sys("class", "drm")

    def collect() -> Iterator[Metric]:
        cards = read_cards(path)
        yield info_family(cards)
        for file, (name, help_) in _NUMBERS.items():
            family = GaugeMetricFamily(f"node_drm_{name}", help_, labels=("card",))
            for card, texts in cards.items():
                # 0 where the driver says nothing, or no number, as upstream (which
                # does not survive the latter).
                family.add_metric((card,), sysfs.parse_integer(texts.get(file, "")))
            yield family

    return collect


def read_cards(path: str) -> dict[str, Card]:
    """Return the cards below *path* that are amdgpu's, by name.

    Another driver's card, one without a device and one that is gone by now are left
    out; there are none where *path* does not exist.
    """
    try:
        names = os.listdir(path)
    except OSError as error:
        log.debug("No graphics card", extra={"fields": {"err": error}})
        return {}
    cards: dict[str, Card] = {}
    for name in filter(_CARD.fullmatch, sorted(names)):
        card = _read_card(f"{path}/{name}/device")
        if card is not None:
            cards[name] = card
    return cards


def _read_card(path: str) -> Card | None:
    try:
        if "DRIVER=amdgpu" not in sysfs.read(f"{path}/uevent"):
            return None
        return device_files.read_given(path, (*_NUMBERS, *_TEXTS.values()))
    except OSError as error:
        log.debug("No device of a card", extra={"fields": {"err": error}})
        return None


def info_family(cards: Mapping[str, Card]) -> Metric:
    """Return a 1 for each of *cards*."""
    family = GaugeMetricFamily(
        "node_drm_card_info", "Card information", labels=("card", *_TEXTS, "vendor")
    )
    for card, texts in cards.items():
        values = (texts.get(file, "") for file in _TEXTS.values())
        family.add_metric((card, *values, "amd"), 1)
    return family


COLLECTOR = CollectorSpec("drm", create, default_enabled=False)
