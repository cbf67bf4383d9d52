"""CPU seconds, info, throttles (node_exporter collector/cpu_linux.go)."""

from __future__ import annotations

import logging
import platform
from collections.abc import Iterable, Iterator, Mapping

from exporters.node import procfs
from exporters.node.hardware import cpu_frequency, cpu_topology, cpuinfo
from exporters.node.hardware.cpu_times import CpuTimes, SteadyCpuTimes, parse_cpu_times
from exporters.node.paths import Paths
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.flags import Values, boolean, string
from exporters.toolkit.metric import CounterMetricFamily, GaugeMetricFamily, Metric
from exporters.toolkit.regex import Regex


log = logging.getLogger(__name__)

GUEST = boolean(
    "collector.cpu.guest", "Enables metric node_cpu_guest_seconds_total", default=True
)
INFO = boolean("collector.cpu.info", "Enables metric cpu_info")
FLAGS_INCLUDE = string(
    "collector.cpu.info.flags-include",
    "Filter the `flags` field in cpuInfo"
    " with a value that must be a regular expression",
)
BUGS_INCLUDE = string(
    "collector.cpu.info.bugs-include",
    "Filter the `bugs` field in cpuInfo with a value that must be a regular expression",
)

_MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
_INFO_LABELS = (
    "package",
    "core",
    "cpu",
    "vendor",
    "family",
    "model",
    "model_name",
    "microcode",
    "stepping",
    "cachesize",
)


def create(context: Context) -> Collect:
    """Return the collector, which remembers each CPU's counters.

    Raises RegexError for a bad include pattern. The list of isolated CPUs is read here
    and never again.
    """
    paths, values = context.paths, context.values
    flags, bugs = _pattern(values[FLAGS_INCLUDE]), _pattern(values[BUGS_INCLUDE])
    with_info, with_guest = wants_info(values), values[GUEST]
    with_frequency = cpu_frequency.both_enabled(values)
    if with_info and not values[INFO]:
        log.info(
            "--collector.cpu.info has been set to `true` because you set the following"
            " flags, like --collector.cpu.info.flags-include and"
            " --collector.cpu.info.bugs-include"
        )
    isolated = read_isolated(paths)
    stat, times = context.proc("stat"), SteadyCpuTimes()
    cpus = cpu_topology.Cpus(context.keeper)

    def collect() -> Iterator[Metric]:
        shown = times.update(parse_cpu_times(stat.read()))
        yield from _present(seconds_families(shown, with_guest=with_guest))
        cpus.update(cpu_topology.read_directories(paths))
        yield from _present(
            (
                isolated_family(isolated),
                *throttle_families(cpus.throttles()),
                online_family(cpus.online()),
            )
        )
        if with_info:  # last: a cpuinfo nobody understands does not cost the seconds
            written = cpuinfo.dialect(platform.machine())
            known = cpuinfo.parse(procfs.read(paths.proc("cpuinfo")), written)
            yield from _present(info_families(known, flags, bugs))
            if with_frequency:
                yield from _present((frequency_family(known),))

    return collect


def wants_info(values: Values) -> bool:
    """Tell whether cpuinfo is exported: either include pattern asks for it, too."""
    return bool(values[INFO] or values[FLAGS_INCLUDE] or values[BUGS_INCLUDE])


def _pattern(text: str) -> Regex | None:
    return Regex(text) if text else None


def _present(families: Iterable[Metric]) -> Iterator[Metric]:
    return (family for family in families if family)


def read_isolated(paths: Paths) -> list[int]:
    """Return the CPUs that ``isolcpus=`` took from the scheduler.

    None where the kernel's list cannot be read, which is logged: upstream does not
    start then.
    """
    path = paths.sys("devices", "system", "cpu", "isolated")
    try:
        data = procfs.read_optional(path)
        return cpu_topology.parse_cpu_list(procfs.text(data or b""))
    except (OSError, ValueError) as error:
        fields = {"path": path, "err": error}
        log.warning("Unable to get isolated cpus", extra={"fields": fields})
        return []


def seconds_families(
    cpus: Mapping[int, CpuTimes], *, with_guest: bool
) -> tuple[Metric, Metric]:
    """Return the seconds by mode, and those of guests, which are part of the former."""
    seconds = CounterMetricFamily(
        "node_cpu_seconds_total",
        "Seconds the CPUs spent in each mode.",
        labels=("cpu", "mode"),
    )
    guest = CounterMetricFamily(
        "node_cpu_guest_seconds_total",
        "Seconds the CPUs spent in guests (VMs) for each mode.",
        labels=("cpu", "mode"),
    )
    for number, times in cpus.items():
        cpu = str(number)
        for mode, value in zip(_MODES, times, strict=False):
            seconds.add_metric((cpu, mode), value)
        if with_guest:
            guest.add_metric((cpu, "user"), times.guest)
            guest.add_metric((cpu, "nice"), times.guest_nice)
    return seconds, guest


def info_families(
    cpus: list[cpuinfo.Cpu], flags: Regex | None, bugs: Regex | None
) -> Iterator[Metric]:
    """Yield what cpuinfo says; flags and bugs are those of the first CPU."""
    info = GaugeMetricFamily(
        "node_cpu_info", "CPU information from /proc/cpuinfo.", labels=_INFO_LABELS
    )
    for cpu in cpus:
        info.add_metric(_info_labels(cpu), 1)
    yield info
    for first in cpus[:1]:
        yield _field_family("flag", first.flags, flags)
        yield _field_family("bug", first.bugs, bugs)


def frequency_family(cpus: list[cpuinfo.Cpu]) -> Metric:
    """Return the frequencies that cpuinfo says, 0 where it says none (ARM)."""
    family = GaugeMetricFamily(
        "node_cpu_frequency_hertz",
        "CPU frequency in hertz from /proc/cpuinfo.",
        labels=("package", "core", "cpu"),
    )
    for cpu in cpus:
        family.add_metric((cpu.package, cpu.core, str(cpu.processor)), cpu.mhz * 1e6)
    return family


def _info_labels(cpu: cpuinfo.Cpu) -> tuple[str, ...]:
    return (
        cpu.package,
        cpu.core,
        str(cpu.processor),
        cpu.vendor,
        cpu.family,
        cpu.model,
        cpu.model_name,
        cpu.microcode,
        cpu.stepping,
        cpu.cache_size,
    )


def _field_family(name: str, words: Iterable[str], wanted: Regex | None) -> Metric:
    family = GaugeMetricFamily(
        f"node_cpu_{name}_info",
        f"The `{name}s` field of CPU information from /proc/cpuinfo"
        " taken from the first core.",
        labels=(name,),
    )
    if wanted is not None:
        for word in dict.fromkeys(words):
            if wanted.search(word):
                family.add_metric((word,), 1)
    return family


def throttle_families(throttles: cpu_topology.Throttles) -> tuple[Metric, Metric]:
    """Return the throttle counts of cores and of packages."""
    cores = CounterMetricFamily(
        "node_cpu_core_throttles_total",
        "Number of times this CPU core has been throttled.",
        labels=("package", "core"),
    )
    packages = CounterMetricFamily(
        "node_cpu_package_throttles_total",
        "Number of times this CPU package has been throttled.",
        labels=("package",),
    )
    for (package, core), count in throttles.cores.items():
        cores.add_metric((str(package), str(core)), count)
    for package, count in throttles.packages.items():
        packages.add_metric((str(package),), count)
    return cores, packages


def isolated_family(cpus: Iterable[int]) -> Metric:
    """Return a 1 for each isolated CPU."""
    family = GaugeMetricFamily(
        "node_cpu_isolated",
        "Whether each core is isolated,"
        " information from /sys/devices/system/cpu/isolated.",
        labels=("cpu",),
    )
    for cpu in cpus:
        family.add_metric((str(cpu),), 1)
    return family


def online_family(cpus: Mapping[str, bool]) -> Metric:
    """Return whether each CPU is online."""
    family = GaugeMetricFamily(
        "node_cpu_online",
        "CPUs that are online and being scheduled.",
        labels=("cpu",),
    )
    for cpu, is_online in cpus.items():
        family.add_metric((cpu,), is_online)
    return family


COLLECTOR = CollectorSpec(
    "cpu", create, flags=(GUEST, INFO, FLAGS_INCLUDE, BUGS_INCLUDE)
)
