"""Frequencies and governors of CPUs (node_exporter collector/cpufreq_linux.go).

The kernel's side is Documentation/admin-guide/pm/cpufreq.rst: kilohertz.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from exporters.node.attributes import Attributes
from exporters.node.collectors import cpu
from exporters.node.deadline import seconds_left
from exporters.node.hardware import cpu_frequency, cpufreq
from exporters.node.hardware.cpufreq import GOVERNOR, GOVERNORS, Reader, Texts
from exporters.node.integers import decimal
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import GaugeMetricFamily, Metric


# file -> (family without "node_cpu_", HELP)
_FREQUENCIES = {
    "cpuinfo_cur_freq": (
        "frequency_hertz",
        "Current CPU thread frequency in hertz.",
    ),
    "cpuinfo_avg_freq": (
        "frequency_avg_hertz",
        "Average CPU thread frequency in hertz.",
    ),
    "cpuinfo_min_freq": (
        "frequency_min_hertz",
        "Minimum CPU thread frequency in hertz.",
    ),
    "cpuinfo_max_freq": (
        "frequency_max_hertz",
        "Maximum CPU thread frequency in hertz.",
    ),
    "scaling_cur_freq": (
        "scaling_frequency_hertz",
        "Current scaled CPU thread frequency in hertz.",
    ),
    "scaling_min_freq": (
        "scaling_frequency_min_hertz",
        "Minimum scaled CPU thread frequency in hertz.",
    ),
    "scaling_max_freq": (
        "scaling_frequency_max_hertz",
        "Maximum scaled CPU thread frequency in hertz.",
    ),
}
_HERTZ = 1000.0
_PATIENCE_SHARE = 0.8  # the rest of the time is for what comes after


def create(context: Context) -> Collect:
    """Return the collector."""
    paths, values = context.paths, context.values
    reader = Reader()
    shown = dict(_FREQUENCIES)
    if cpu_frequency.both_enabled(values) and cpu.wants_info(values):
        del shown["cpuinfo_cur_freq"]  # the cpu collector has that family

    def collect() -> Iterator[Metric]:
        directories = cpufreq.list_cpus(paths)
        cpus = reader.read(directories, seconds_left() * _PATIENCE_SHARE)
        problems = Attributes()
        for file, (name, help_) in shown.items():
            yield _frequencies(file, name, help_, cpus, problems)
        yield governors_family(cpus)
        problems.raise_rejected()

    return collect


def _frequencies(
    file: str, name: str, help_: str, cpus: Mapping[str, Texts], problems: Attributes
) -> Metric:
    family = GaugeMetricFamily(f"node_cpu_{name}", help_, labels=("cpu",))
    for directory, texts in cpus.items():
        if file not in texts:
            continue
        try:
            kilohertz = decimal(texts[file])
        except ValueError as error:  # "<unknown>", says intel_pstate (#1710)
            problems.reject(f"{directory}/cpufreq/{file}: {error}")
            continue
        family.add_metric((_number(directory),), kilohertz * _HERTZ)
    return family


def governors_family(cpus: Mapping[str, Texts]) -> Metric:
    """Return a 1 for the governor of each of *cpus*, a 0 for those it could have."""
    family = GaugeMetricFamily(
        "node_cpu_scaling_governor",
        "Current enabled CPU frequency governor.",
        labels=("cpu", "governor"),
    )
    for directory, texts in cpus.items():
        governor, available = texts.get(GOVERNOR), texts.get(GOVERNORS)
        if governor and available is not None:
            for name in available.split(" "):
                family.add_metric((_number(directory), name), name == governor)
    return family


def _number(directory: str) -> str:
    return os.path.basename(directory).removeprefix("cpu")


COLLECTOR = CollectorSpec("cpufreq", create)
