"""Every scenario, in the order of the table."""

from __future__ import annotations

from . import answers, clocks, containers, everything, neighbours, outages, processes


SCENARIOS = (
    *processes.SCENARIOS,
    *answers.SCENARIOS,
    *neighbours.SCENARIOS,
    *containers.SCENARIOS,
    *outages.SCENARIOS,
    *clocks.SCENARIOS,
    *everything.SCENARIOS,
)
