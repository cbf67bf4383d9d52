"""The numbers of /sys/fs/xfs/<device>/stats/stats (kernel fs/xfs/xfs_stats.c).

Counterpart of procfs' xfs; names and texts are node_exporter's, what they mean says
https://xfs.org/index.php/Runtime_Stats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from exporters.node import procfs


class Column(NamedTuple):
    """One number of a line and the counter that it becomes."""

    name: str
    help: str


# The lines that are shown and their columns in the kernel's order. The rest (trans,
# log, buf, xpc, ...) upstream reads, too, and exports nothing of it.
LINES: Mapping[str, Sequence[Column]] = {
    "extent_alloc": (
        Column(
            "extent_allocation_extents_allocated",
            "Number of extents allocated for a filesystem.",
        ),
        Column(
            "extent_allocation_blocks_allocated",
            "Number of blocks allocated for a filesystem.",
        ),
        Column(
            "extent_allocation_extents_freed",
            "Number of extents freed for a filesystem.",
        ),
        Column(
            "extent_allocation_blocks_freed", "Number of blocks freed for a filesystem."
        ),
    ),
    "abt": (
        Column(
            "allocation_btree_lookups",
            "Number of allocation B-tree lookups for a filesystem.",
        ),
        Column(
            "allocation_btree_compares",
            "Number of allocation B-tree compares for a filesystem.",
        ),
        Column(
            "allocation_btree_records_inserted",
            "Number of allocation B-tree records inserted for a filesystem.",
        ),
        Column(
            "allocation_btree_records_deleted",
            "Number of allocation B-tree records deleted for a filesystem.",
        ),
    ),
    "blk_map": (
        Column(
            "block_mapping_reads",
            "Number of block map for read operations for a filesystem.",
        ),
        Column(
            "block_mapping_writes",
            "Number of block map for write operations for a filesystem.",
        ),
        Column(
            "block_mapping_unmaps",
            "Number of block unmaps (deletes) for a filesystem.",
        ),
        Column(
            "block_mapping_extent_list_insertions",
            "Number of extent list insertions for a filesystem.",
        ),
        Column(
            "block_mapping_extent_list_deletions",
            "Number of extent list deletions for a filesystem.",
        ),
        Column(
            "block_mapping_extent_list_lookups",
            "Number of extent list lookups for a filesystem.",
        ),
        Column(
            "block_mapping_extent_list_compares",
            "Number of extent list compares for a filesystem.",
        ),
    ),
    "bmbt": (
        Column(
            "block_map_btree_lookups",
            "Number of block map B-tree lookups for a filesystem.",
        ),
        Column(
            "block_map_btree_compares",
            "Number of block map B-tree compares for a filesystem.",
        ),
        Column(
            "block_map_btree_records_inserted",
            "Number of block map B-tree records inserted for a filesystem.",
        ),
        Column(
            "block_map_btree_records_deleted",
            "Number of block map B-tree records deleted for a filesystem.",
        ),
    ),
    "dir": (
        Column(
            "directory_operation_lookup",
            "Number of file name directory lookups which miss the operating systems"
            " directory name lookup cache.",
        ),
        Column(
            "directory_operation_create",
            "Number of times a new directory entry was created for a filesystem.",
        ),
        Column(
            "directory_operation_remove",
            "Number of times an existing directory entry was created for a filesystem.",
        ),
        Column(
            "directory_operation_getdents",
            "Number of times the directory getdents operation was performed for a"
            " filesystem.",
        ),
    ),
    "ig": (
        Column(
            "inode_operation_attempts",
            "Number of times the OS looked for an XFS inode in the inode cache.",
        ),
        Column(
            "inode_operation_found",
            "Number of times the OS looked for and found an XFS inode in the inode"
            " cache.",
        ),
        Column(
            "inode_operation_recycled",
            "Number of times the OS found an XFS inode in the cache, but could not use"
            " it as it was being recycled.",
        ),
        Column(
            "inode_operation_missed",
            "Number of times the OS looked for an XFS inode in the cache, but did not"
            " find it.",
        ),
        Column(
            "inode_operation_duplicates",
            "Number of times the OS tried to add a missing XFS inode to the inode"
            " cache, but found it had already been added by another process.",
        ),
        Column(
            "inode_operation_reclaims",
            "Number of times the OS reclaimed an XFS inode from the inode cache to free"
            " memory for another purpose.",
        ),
        Column(
            "inode_operation_attribute_changes",
            "Number of times the OS explicitly changed the attributes of an XFS inode.",
        ),
    ),
    "rw": (
        Column(
            "write_calls",
            "Number of write(2) system calls made to files in a filesystem.",
        ),
        Column(
            "read_calls",
            "Number of read(2) system calls made to files in a filesystem.",
        ),
    ),
    "vnodes": (
        Column("vnode_active", "Number of vnodes not on free lists for a filesystem."),
        Column("vnode_allocate", "Number of times vn_alloc called for a filesystem."),
        Column("vnode_get", "Number of times vn_get called for a filesystem."),
        Column("vnode_hold", "Number of times vn_hold called for a filesystem."),
        Column("vnode_release", "Number of times vn_rele called for a filesystem."),
        Column("vnode_reclaim", "Number of times vn_reclaim called for a filesystem."),
        Column("vnode_remove", "Number of times vn_remove called for a filesystem."),
    ),
}

Statistics = Mapping[str, Sequence[int]]
"""Line -> its numbers."""


def parse(data: bytes) -> Statistics:
    """Return the lines of a ``stats`` file that are shown; a missing one is zeros.

    Raises ValueError. Columns that a later kernel adds are ignored.
    """
    found = {name: [0] * len(columns) for name, columns in LINES.items()}
    for number, line in procfs.lines(data):
        name, *fields = line.split()
        key = procfs.text(name)
        if key not in found or not fields:
            continue
        wanted = len(LINES[key])
        if len(fields) < wanted:
            raise ValueError(
                f"line {number}: expected {wanted} values of {key}, got {len(fields)}"
            )
        found[key] = [procfs.parse_uint(field) for field in fields[:wanted]]
    return found
