"""The names, types and HELP texts of the metrics of php-fpm, which dashboards know.

They are those of hipages' php-fpm_exporter 2.x (``phpfpm/exporter.go``), less those
that are said to be ours.
"""

from __future__ import annotations


POOL_METRICS = (
    # field of PoolStatus and name, type, HELP
    ("start_since", "counter", "The number of seconds since FPM has started."),
    (
        "accepted_connections",
        "counter",
        "The number of requests accepted by the pool.",
    ),
    (
        "listen_queue",
        "gauge",
        "The number of requests in the queue of pending connections.",
    ),
    (
        "max_listen_queue",
        "counter",
        (
            "The maximum number of requests in the queue of pending connections since "
            "FPM has started."
        ),
    ),
    (
        "listen_queue_length",
        "gauge",
        "The size of the socket queue of pending connections.",
    ),
    ("idle_processes", "gauge", "The number of idle processes."),
    ("active_processes", "gauge", "The number of active processes."),
    ("total_processes", "gauge", "The number of idle + active processes."),
    (
        "max_active_processes",
        "counter",
        "The maximum number of active processes since FPM has started.",
    ),
    (
        "max_children_reached",
        "counter",
        (
            "The number of times, the process limit has been reached, when pm tries to "
            "start more children (works only for pm 'dynamic' and 'ondemand')."
        ),
    ),
    (
        "slow_requests",
        "counter",
        "The number of requests that exceeded your 'request_slowlog_timeout' value.",
    ),
    # Not in hipages' exporter; name and HELP are those of php-fpm's own ?openmetrics.
    ("memory_peak", "gauge", "The memory usage peak since FPM has started."),
)
# Not in hipages' exporter; from the kernel, so also while no child is free.
QUEUE_METRICS = (
    # field of Queue, end of the name, HELP
    (
        "waiting",
        "listen_queue",
        "The number of connections that wait at the unix socket in scrape_uri.",
    ),
    (
        "room",
        "listen_queue_length",
        "The number of connections that may wait at the unix socket in scrape_uri.",
    ),
)
CHILD_METRICS = (
    # field of Child and end of the name, type, HELP
    ("requests", "counter", "The number of requests the process has served."),
    (
        "last_request_memory",
        "gauge",
        "The max amount of memory the last request consumed.",
    ),
    ("last_request_cpu", "gauge", "The %cpu the last request consumed."),
    ("request_duration", "gauge", "The duration in microseconds of the requests."),
)

# Each child has a series for each of these, 1 for the one it is in.
STATES = (
    "Idle",
    "Running",
    "Finishing",
    "Reading headers",
    "Getting request informations",
    "Ending",
)
# PHP 7.4 corrected the spelling; the series that is always there keeps the old one.
SPELLINGS = {"Getting request information": "Getting request informations"}
