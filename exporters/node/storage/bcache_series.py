"""What is shown of bcache's sets, backing and cache devices, with units and texts.

Names and texts are node_exporter's (collector/bcache_linux.go).
"""

from __future__ import annotations

from typing import NamedTuple


class Series(NamedTuple):
    """One number and the metric that it becomes; a counter is a ``_total``."""

    key: str  # in what bcache.read_* returned
    name: str
    help: str
    factor: float = 1


SET = (
    Series(
        "average_key_size",
        "average_key_size_sectors",
        "Average data per key in the btree (sectors).",
    ),
    Series(
        "btree_cache_size",
        "btree_cache_size_bytes",
        "Amount of memory currently used by the btree cache.",
    ),
    Series(
        "cache_available_percent",
        "cache_available_percent",
        "Percentage of cache device without dirty data, usable for writeback (may"
        " contain clean cached data).",
    ),
    Series("congested", "congested", "Congestion."),
    Series(
        "root_usage_percent",
        "root_usage_percent",
        "Percentage of the root btree node in use (tree depth increases if too high).",
    ),
    Series("tree_depth", "tree_depth", "Depth of the btree."),
    Series(
        "internal/active_journal_entries",
        "active_journal_entries",
        "Number of journal entries that are newer than the index.",
    ),
    Series("internal/btree_nodes", "btree_nodes", "Total nodes in the btree."),
    Series(
        "internal/btree_read_average_duration_us",
        "btree_read_average_duration_seconds",
        "Average btree read duration.",
        1e-9,  # the file's name says microseconds, upstream takes nanoseconds
    ),
    Series(
        "internal/cache_read_races",
        "cache_read_races_total",
        "Counts instances where while data was being read from the cache, the bucket"
        " was reused and invalidated - i.e. where the pointer was stale after the read"
        " completed.",
    ),
)
BACKING = (
    Series(
        "dirty_data",
        "dirty_data_bytes",
        "Amount of dirty data for this backing device in the cache.",
    ),
    Series(
        "stats_total/bypassed",
        "bypassed_bytes_total",
        "Amount of IO (both reads and writes) that has bypassed the cache.",
    ),
    Series(
        "stats_total/cache_hits",
        "cache_hits_total",
        "Hits counted per individual IO as bcache sees them.",
    ),
    Series(
        "stats_total/cache_misses",
        "cache_misses_total",
        "Misses counted per individual IO as bcache sees them.",
    ),
    Series(
        "stats_total/cache_bypass_hits",
        "cache_bypass_hits_total",
        "Hits for IO intended to skip the cache.",
    ),
    Series(
        "stats_total/cache_bypass_misses",
        "cache_bypass_misses_total",
        "Misses for IO intended to skip the cache.",
    ),
    Series(
        "stats_total/cache_miss_collisions",
        "cache_miss_collisions_total",
        "Instances where data insertion from cache miss raced with write (data already"
        " present).",
    ),
)
READAHEADS = Series(  # Linux < 5.17; a 0 is not shown
    "stats_total/cache_readaheads",
    "cache_readaheads_total",
    "Count of times readahead occurred.",
)
WRITEBACK = (
    Series(
        "target",
        "dirty_target_bytes",
        "Current dirty data target threshold for this backing device in bytes.",
    ),
    Series(
        "rate",
        "writeback_rate",
        "Current writeback rate for this backing device in bytes.",
    ),
    Series(
        "proportional",
        "writeback_rate_proportional_term",
        "Current result of proportional controller, part of writeback rate",
    ),
    Series(
        "integral",
        "writeback_rate_integral_term",
        "Current result of integral controller, part of writeback rate",
    ),
    Series(
        "change",
        "writeback_change",
        "Last writeback rate change step for this backing device.",
    ),
)
CACHE = (
    Series(
        "io_errors",
        "io_errors",
        "Number of errors that have occurred, decayed by io_error_halflife.",
    ),
    Series(
        "metadata_written",
        "metadata_written_bytes_total",
        "Sum of all non data writes (btree writes and all other metadata).",
    ),
    Series(
        "written",
        "written_bytes_total",
        "Sum of all data that has been written to the cache.",
    ),
)
PRIORITIES = (
    Series(
        "unused",
        "priority_stats_unused_percent",
        "The percentage of the cache that doesn't contain any data.",
    ),
    Series(
        "metadata", "priority_stats_metadata_percent", "Bcache's metadata overhead."
    ),
)
