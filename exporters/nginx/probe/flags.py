"""The flags of ``/probe``, apart from what only those need who use them."""

from __future__ import annotations

from exporters.toolkit import flags


ALLOW = flags.strings(
    "probe.allow",
    "What /probe?target= may ask: a URI, with * within a label of the host, the port "
    "or a part of the path; a network (10.0.0.0/8); unix:/socket:/path. Credentials "
    "in a URI are sent to what it lets in. Repeatable, or a list separated by commas "
    "or newlines. Without any, /probe answers 403.",
    env="PROBE_ALLOW",
)
MAX_CONCURRENT = flags.integer(
    "probe.max-concurrent",
    "Maximum number of probes at a time; more are answered 503. Use 0 to disable.",
    default=400,
    env="PROBE_MAX_CONCURRENT",
)
FLAGS = (ALLOW, MAX_CONCURRENT)
