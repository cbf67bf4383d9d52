"""Errors of IPsec (node_exporter collector/xfrm.go).

The kernel's side is Documentation/networking/xfrm_proc.rst. Counters that newer kernels
have beside these are left out, as upstream does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from exporters.node import procfs
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.metric import CounterMetricFamily, Metric


# The kernel's name without "Xfrm" -> HELP
_COUNTERS = {
    "InError": "All errors not matched by other",
    "InBufferError": "No buffer is left",
    "InHdrError": "Header error",
    "InNoStates": (
        "No state is found i.e. Either inbound SPI, address, or IPsec protocol at SA"
        " is wrong"
    ),
    "InStateProtoError": "Transformation protocol specific error e.g. SA key is wrong",
    "InStateModeError": "Transformation mode specific error",
    "InStateSeqError": "Sequence error i.e. Sequence number is out of window",
    "InStateExpired": "State is expired",
    "InStateMismatch": (
        "State has mismatch option e.g. UDP encapsulation type is mismatch"
    ),
    "InStateInvalid": "State is invalid",
    "InTmplMismatch": (
        "No matching template for states e.g. Inbound SAs are correct but SP rule is"
        " wrong"
    ),
    "InNoPols": (
        "No policy is found for states e.g. Inbound SAs are correct but no SP is found"
    ),
    "InPolBlock": "Policy discards",
    "InPolError": "Policy error",
    "OutError": "All errors which is not matched others",
    "OutBundleGenError": "Bundle generation error",
    "OutBundleCheckError": "Bundle check error",
    "OutNoStates": "No state is found",
    "OutStateProtoError": "Transformation protocol specific error",
    "OutStateModeError": "Transformation mode specific error",
    "OutStateSeqError": "Sequence error i.e. Sequence number overflow",
    "OutStateExpired": "State is expired",
    "OutPolBlock": "Policy discards",
    "OutPolDead": "Policy is dead",
    "OutPolError": "Policy error",
    "FwdHdrError": "Forward routing of a packet is not allowed",
    "OutStateInvalid": "State is invalid, perhaps expired",
    "AcquireError": "State hasn’t been fully acquired before use",
}
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def parse(data: bytes) -> dict[str, int]:
    """Return the counters of an xfrm_stat file by the kernel's names.

    Raises ValueError.
    """
    counters: dict[str, int] = {}
    for number, line in procfs.lines(data):
        fields = line.split()
        if len(fields) != 2:
            raise ValueError(
                f"xfrm_stat:{number}: expected 'name N', got {line[:60]!r}"
            )
        try:
            counters[procfs.text(fields[0])] = procfs.parse_int(fields[1])
        except ValueError as error:
            raise ValueError(f"xfrm_stat:{number}: {error}") from error
    return counters


def metric_name(name: str) -> str:
    """Return the metric of the counter *name*: InHdrError is in_hdr_error_packets."""
    return f"node_xfrm_{_WORD.sub('_', name).lower()}_packets_total"


def create(context: Context) -> Collect:
    """Return the collector of ``/proc/net/xfrm_stat``."""
    path = context.paths.proc("net/xfrm_stat")

    def collect() -> Iterator[Metric]:
        counters = parse(procfs.read(path))
        for name, text in _COUNTERS.items():
            value = counters.get(f"Xfrm{name}", 0)
            yield CounterMetricFamily(metric_name(name), text, value)

    return collect


COLLECTOR = CollectorSpec("xfrm", create, default_enabled=False)
