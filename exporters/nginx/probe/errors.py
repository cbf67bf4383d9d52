"""Why a probe is not made: what the caller is told, and with which status."""

from __future__ import annotations


class ProbeRefused(Exception):  # noqa: N818 -- an answer to the client, not a fault
    """Answer *status* with one line that holds no credentials.

    *reason* is the value of the label of ``nginx_exporter_probes_refused_total``.
    """

    status = 400
    reason = "target"


class UnreadableTarget(ProbeRefused):
    """The parameter names nothing that could be asked."""


class UnknownModule(ProbeRefused):
    """There is no module of that name."""

    reason = "module"


class NotAllowed(ProbeRefused):
    """No pattern of ``--probe.allow`` lets the target in."""

    status = 403
    reason = "not_allowed"


class Busy(ProbeRefused):
    """As many probes as ``--probe.max-concurrent`` are under way."""

    status = 503
    reason = "busy"


REASONS = ("target", "module", "not_allowed", "busy")
