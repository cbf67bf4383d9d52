"""Numbers that several kinds of records have (``collector/nginx_plus.go``)."""

from __future__ import annotations

from exporters.nginx.plus.fields import Field, counter


# client/nginx.go HTTPCodes. nginx counts others, too; upstream exports these, each of
# them always.
CODES = (
    *("100", "101", "102"),
    *("200", "201", "202", "204", "206"),
    *("300", "301", "302", "303", "304", "307"),
    *("400", "401", "403", "404", "405", "408", "409", "411", "412", "413"),
    *("414", "415", "416", "429", "444", "494", "495", "496", "497", "499"),
    *("500", "501", "502", "503", "504", "507"),
)
CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")

RESPONSES = tuple(
    Field(path, "counter", "Total responses sent to clients", name, code=code)
    for path, name, code in (
        *((f"responses.{each}", "responses", each) for each in CLASSES),
        *((f"responses.codes.{each}", "responses_codes", each) for each in CODES),
    )
)

SSL = (
    counter("ssl.handshakes", "Successful SSL handshakes"),
    counter("ssl.handshakes_failed", "Failed SSL handshakes"),
    counter("ssl.session_reuses", "Session reuses during SSL handshake"),
)

HEALTH_CHECKS = (
    counter("health_checks.checks", "Total health check requests"),
    counter("health_checks.fails", "Failed health checks"),
    counter(
        "health_checks.unhealthy",
        "How many times the server became unhealthy (state 'unhealthy')",
    ),
)

LIMIT_CONNECTIONS = (
    counter(
        "passed",
        "Total number of connections that were neither limited nor accounted as "
        "limited",
    ),
    counter("rejected", "Total number of connections that were rejected"),
    counter(
        "rejected_dry_run",
        "Total number of connections accounted as rejected in the dry run mode",
    ),
)
