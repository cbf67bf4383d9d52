"""The host: processors, memory, disks, network and the kernel's troubles."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard

from deploy.dashboards import uids, variables
from deploy.dashboards.devices import (
    DISKS,
    DISKS_ROW,
    FILLED,
    FULL,
    KERNEL_ROW,
    LOGS,
    NETWORK_ROW,
    NODE,
    RATE,
    worst,
)
from deploy.dashboards.dress import BYTES, SHARE, Scale
from deploy.dashboards.page import page
from deploy.dashboards.panels import graph, number, stacked, state
from deploy.dashboards.thresholds import above, below


LOAD = Scale("short", above(1, 2), decimals=2)
CORES = (
    "node_load5{@} / on (job, instance)"
    ' count by (job, instance) (node_cpu_seconds_total{@,mode="idle"})'
)
RAM = "1 - node_memory_MemAvailable_bytes{@} / node_memory_MemTotal_bytes{@}"


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    text = "Processors, memory, disks and network, from the node exporter."
    return page(
        uids.HOST,
        text,
        variables.targets("node_uname_info"),
        [
            ("At a glance", GLANCE_ROW),
            ("Processor and memory", [*PROCESSOR_ROW, *MEMORY_ROW]),
            ("Disks", DISKS_ROW),
            ("Network", NETWORK_ROW),
            ("Kernel", KERNEL_ROW),
        ],
    )


# The numbers that say whether the host is well.
UP = "Whether Prometheus reaches every node exporter that it reached in the last day."
# Where all are chosen, any target is: a node exporter is what knew the host's name.
UP_NODES = "up{@} and on (job, instance) last_over_time(node_uname_info{@}[1d])"
UPTIME = "Time since the host was booted."
GLANCE_LOAD = (
    "Processes that want a processor or wait for a disk, for each core, over 5"
    " minutes. Above 1 somebody waits."
)
USED = "Memory that no program can have any more. Caches do not count: they give way."
GLANCE_FULL = "The fullest file system. At 100 % databases stop and logs are lost."
NTP = "How far the clock is off. Logs and metrics of several hosts need it below 0.1 s."
GLANCE_ROW = (
    state("Node exporter", UP, NODE.now(f"min({UP_NODES})", "exporter"), to=LOGS),
    number(
        "Uptime",
        UPTIME,
        Scale("s", below(600, 60)),
        NODE.now("min(node_time_seconds{@} - node_boot_time_seconds{@})", "shortest"),
        to=LOGS,
    ),
    number(
        "Load for each core",
        GLANCE_LOAD,
        LOAD,
        NODE.now(worst(CORES), "load"),
        to=LOGS,
    ),
    number("Memory used", USED, FULL, NODE.now(worst(RAM), "used"), to=LOGS),
    number(
        "Fullest file system",
        GLANCE_FULL,
        FULL,
        DISKS.now(worst(FILLED), "full"),
        to=LOGS,
    ),
    number(
        "Clock offset",
        NTP,
        Scale("s", above(0.1, 1), lowest=None),
        NODE.now("max(abs(node_timex_offset_seconds{@}))", "offset"),
        to=LOGS,
    ),
)

# What the processors do, and who waits for them.
MODES = (
    "What the processors did, as the mean of all cores of the chosen hosts. steal is"
    " time that a hypervisor gave to others, iowait time spent on a slow disk."
)
PROCESSOR_LOAD = "Processes that want a core, for each core: above 1 they queue."
PROCESSOR_ROW = (
    stacked(
        "Processor time",
        MODES,
        SHARE,
        NODE.over_time(
            f'avg by (mode) (rate(node_cpu_seconds_total{{@,mode!="idle"}}{RATE}))',
            "{{mode}}",
        ),
        to=LOGS,
    ),
    graph(
        "Load for each core",
        PROCESSOR_LOAD,
        LOAD,
        NODE.over_time(CORES, "{{instance}}"),
        to=LOGS,
    ),
)


# Where memory is, and whether it is short.
WHERE = "Memory by use. Caches are given back when programs want memory."
PRESSURE = (
    "Share of the time in which some process stood still for want of a processor, of"
    " memory or of a disk. Needs a kernel with pressure stall information."
)
MEMORY_USED = (
    "node_memory_MemTotal_bytes{@} - node_memory_MemFree_bytes{@}"
    " - node_memory_Cached_bytes{@} - node_memory_Buffers_bytes{@}"
    " - node_memory_SReclaimable_bytes{@}"
)
CACHE = (
    "node_memory_Cached_bytes{@} + node_memory_Buffers_bytes{@}"
    " + node_memory_SReclaimable_bytes{@}"
)
MEMORY_ROW = (
    stacked(
        "Memory",
        WHERE,
        BYTES,
        NODE.over_time(f"sum({MEMORY_USED})", "programs"),
        NODE.over_time(f"sum({CACHE})", "caches"),
        NODE.over_time("sum(node_memory_MemFree_bytes{@})", "free"),
        to=LOGS,
    ),
    graph(
        "Pressure",
        PRESSURE,
        Scale("percentunit", above(0.1, 0.5), highest=1),
        *(
            NODE.over_time(
                f"rate(node_pressure_{what}_waiting_seconds_total{{@}}{RATE})",
                f"{{{{instance}}}} {what}",
            )
            for what in ("cpu", "memory", "io")
        ),
        to=LOGS,
    ),
)
