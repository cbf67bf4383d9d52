"""Which of two collectors exports ``node_cpu_frequency_hertz``.

Upstream's cpu has it from /proc/cpuinfo, by package, core and CPU, and its cpufreq from
sysfs, by CPU and with another HELP. In node_exporter 1.12 both do where cpu.info is
set and both collectors are on, and a scrape then has errors and a random one of the two
(node_exporter#3689). Here it is cpuinfo's then: that is what upstream's own end-to-end
test shows, and what a host shows whose cpuinfo_cur_freq only root can read. In every
other case it is as in 1.12: of cpufreq alone it is cpufreq's, of cpu alone nobody's.
"""

from __future__ import annotations

from exporters.node.registry import DISABLE_DEFAULTS
from exporters.toolkit.flags import Values, boolean


# A value is looked up by its flag's name: these stand for the two collectors' switches.
_SWITCHES = tuple(
    boolean(f"collector.{name}", "", default=True) for name in ("cpu", "cpufreq")
)


def both_enabled(values: Values) -> bool:
    """Tell whether the command line wants the collectors cpu and cpufreq.

    A program without one of them, as a registry may have it, does not run it.
    """
    try:
        by_default = not values[DISABLE_DEFAULTS]
        return all(
            values[switch] and (by_default or values.given(switch))
            for switch in _SWITCHES
        )
    except KeyError:
        return False
