"""Read what cpufreq has for each CPU (procfs sysfs/system_cpu.go SystemCpufreq)."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Mapping, Sequence

from exporters.node import device_files, procfs
from exporters.node.call_pool import CallPool
from exporters.node.hardware import cpu_topology
from exporters.node.paths import Paths


Texts = Mapping[str, str]
"""What a CPU's cpufreq directory has, by file name."""

FREQUENCIES = (
    "cpuinfo_cur_freq",
    "cpuinfo_avg_freq",
    "cpuinfo_min_freq",
    "cpuinfo_max_freq",
    "scaling_cur_freq",
    "scaling_min_freq",
    "scaling_max_freq",
)
"""The files with a frequency in kilohertz."""

GOVERNOR = "scaling_governor"
GOVERNORS = "scaling_available_governors"
_FILES = (*FREQUENCIES, GOVERNOR, GOVERNORS)

# Some kernels wait 10 to 20 ms for a CPU that sleeps before they say its frequency
# (arch_freq_get_on_cpu of Linux 4.18 to 5.17): 192 CPUs in turn would take seconds.
_QUICK_SECONDS = 0.005
_WORKERS = 32
_TIMEOUT_SECONDS = 5.0


def list_cpus(paths: Paths) -> list[str]:
    """Return the directories of the CPUs that are online.

    Raises OSError and ValueError; FileNotFoundError where there is no CPU, too.
    """
    parent = paths.sys("devices", "system", "cpu")
    offline_path = f"{parent}/offline"
    try:
        text = procfs.text(procfs.read(offline_path))
        offline = {f"cpu{number}" for number in cpu_topology.parse_cpu_list(text)}
    except ValueError as error:
        raise ValueError(f"{offline_path}: {error}") from error
    found = [
        directory
        for directory in cpu_topology.read_directories(paths)
        if os.path.basename(directory) not in offline
    ]
    if not found:
        raise FileNotFoundError(errno.ENOENT, "could not find any CPU", parent)
    return found


class Reader:
    """Reads the CPUs in turn, and side by side where the kernel makes us wait."""

    def __init__(self) -> None:
        """Begin without threads."""
        self._pool: CallPool[Texts] = CallPool(
            _read, workers=_WORKERS, timeout_seconds=_TIMEOUT_SECONDS
        )

    def read(self, cpus: Sequence[str], patience_seconds: float) -> dict[str, Texts]:
        """Return what each of *cpus*, which are directories, has.

        Those without cpufreq are left out, and those that do not answer in time.
        """
        quick_until = time.monotonic() + _QUICK_SECONDS
        found: dict[str, Texts] = {}
        for position, cpu in enumerate(cpus):
            if time.monotonic() >= quick_until:
                outcomes = self._pool.run(cpus[position:], patience_seconds)
                texts = {c: t for c, t in outcomes.items() if isinstance(t, Mapping)}
                return found | texts
            try:
                found[cpu] = _read(cpu)
            except OSError:
                continue
        return found


def _read(cpu: str) -> Texts:
    return device_files.read_given(f"{cpu}/cpufreq", _FILES)
