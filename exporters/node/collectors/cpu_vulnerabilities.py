"""Flaws of the CPU and what the kernel does about them.

Upstream is node_exporter collector/cpu_vulnerabilities_linux.go with procfs
sysfs/vulnerability.go; the kernel's side is Documentation/ABI/testing/sysfs-devices-
system-cpu.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from exporters.node import procfs, sysfs
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import GaugeMetricFamily, Metric


log = logging.getLogger(__name__)

_NOT_AFFECTED = "not affected"
_STATES = ("vulnerable", "mitigation", "unknown")


def parse(text: str) -> tuple[str, str]:
    """Return the state and the mitigation that a file's *text* says.

    A text that begins with no state is the mitigation, its state unknown: such as
    ``KVM: Mitigation: VMX disabled``.
    """
    text = text.strip()
    lower = text.lower()
    if lower.startswith(_NOT_AFFECTED):
        return _NOT_AFFECTED, ""
    for state in _STATES:
        if lower.startswith(state):
            return state, " ".join(text.split()[1:])
    return "unknown", text


def create(context: Context) -> Collect:
    """Return the collector of ``/sys/devices/system/cpu/vulnerabilities``."""
    path = context.paths.sys("devices", "system", "cpu", "vulnerabilities")

    def collect() -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "node_cpu_vulnerabilities_info",
            "Details of each CPU vulnerability reported by sysfs. The value of the"
            " series is an int encoded state of the vulnerability. The same state is"
            " stored as a string in the label",
            labels=("codename", "state", "mitigation"),
        )
        for name, text in read(path).items():
            family.add_metric((name, *parse(text)), 1)
        yield family

    return collect


def read(path: str) -> dict[str, str]:
    """Return the text of each file in the directory *path*, none where there is none.

    A file that cannot be read is left out.
    """
    try:
        names = sysfs.entries(path)
    except OSError as error:
        log.debug("No CPU vulnerabilities", extra={"fields": {"err": error}})
        return {}
    texts: dict[str, str] = {}
    for name in names:
        try:
            texts[name] = procfs.text(procfs.read(f"{path}/{name}"))
        except OSError as error:
            log.debug("No CPU vulnerability", extra={"fields": {"err": error}})
    return texts


COLLECTOR = CollectorSpec("cpu_vulnerabilities", create, default_enabled=False)
