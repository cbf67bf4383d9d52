"""What the flags ask for: one access log of their own, and those of the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from exporters.nginx.access_log import flags
from exporters.nginx.access_log.plan import Plan, distinct
from exporters.nginx.access_log.settings import Settings
from exporters.nginx.access_log.sources.listen import Listen, parse_listen
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Values


# nginx ngx_http_log_module.c, ngx_http_combined_fmt
COMBINED: Final = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent"'
)


def plans_of(values: Values, const_labels: Mapping[str, str]) -> tuple[Plan, ...]:
    """Return the access logs that *values* name, with *const_labels* on everything.

    Raises StartError.
    """
    plans: list[Plan] = []
    if values[flags.SYSLOG_LISTEN] or values[flags.FILE]:
        plans.append(_plan(values))
    if file := values[flags.CONFIG_FILE]:
        # YAML is not needed for the usual case.
        from exporters.nginx.access_log import config  # noqa: PLC0415

        plans += config.load(file)
    return tuple(distinct(_labelled(plan, const_labels) for plan in plans))


def _plan(values: Values) -> Plan:
    wanted = values[flags.FORMAT]
    return Plan(
        settings=Settings(
            name=values[flags.NAMESPACE],
            prefix=values[flags.NAMESPACE],
            labels={
                name: value for pairs in values[flags.LABEL] for name, value in pairs
            },
            histogram_buckets=values[flags.BUCKETS],
            parser="json" if wanted == "json" else "text",
            format=COMBINED if wanted == "combined" else wanted,
            hosts=tuple(host for hosts in values[flags.HOST] for host in hosts),
            max_series=values[flags.MAX_SERIES],
        ),
        files=values[flags.FILE],
        listens=tuple({_listen(text): None for text in values[flags.SYSLOG_LISTEN]}),
        tags=values[flags.SYSLOG_TAG],
    )


def _listen(text: str) -> Listen:
    try:
        return parse_listen(text)
    except ValueError as error:
        raise StartError(f"--accesslog.syslog-listen: {error}") from error


def _labelled(plan: Plan, common: Mapping[str, str]) -> Plan:
    labels = {**common, **plan.settings.const_labels}
    return replace(plan, settings=replace(plan.settings, const_labels=labels))
