"""What the numbers of NFS mounts are called (node_exporter mountstats_linux.go).

A name that ends in ``_total`` is a counter's. ``node_mountstats_nfs_`` goes in front.
"""

from __future__ import annotations

from typing import NamedTuple


class Name(NamedTuple):
    """A metric, and the position of its number among those of its kind."""

    position: int
    metric: str
    help: str


BYTES = (
    Name(0, "read_bytes_total", "Number of bytes read using the read() syscall."),
    Name(1, "write_bytes_total", "Number of bytes written using the write() syscall."),
    Name(
        2,
        "direct_read_bytes_total",
        "Number of bytes read using the read() syscall in O_DIRECT mode.",
    ),
    Name(
        3,
        "direct_write_bytes_total",
        "Number of bytes written using the write() syscall in O_DIRECT mode.",
    ),
    Name(
        4,
        "total_read_bytes_total",
        "Number of bytes read from the NFS server, in total.",
    ),
    Name(
        5,
        "total_write_bytes_total",
        "Number of bytes written to the NFS server, in total.",
    ),
    Name(6, "read_pages_total", "Number of pages read directly via mmap()'d files."),
    Name(
        7,
        "write_pages_total",
        "Number of pages written directly via mmap()'d files.",
    ),
)

TRANSPORT = (
    Name(
        1,
        "transport_bind_total",
        "Number of times the client has had to establish a connection from"
        " scratch to the NFS server.",
    ),
    Name(
        2,
        "transport_connect_total",
        "Number of times the client has made a TCP connection to the NFS server.",
    ),
    Name(
        4,
        "transport_idle_time_seconds",
        "Duration since the NFS mount last saw any RPC traffic, in seconds.",
    ),
    Name(
        5,
        "transport_sends_total",
        "Number of RPC requests for this mount sent to the NFS server.",
    ),
    Name(
        6,
        "transport_receives_total",
        "Number of RPC responses for this mount received from the NFS server.",
    ),
    Name(
        7,
        "transport_bad_transaction_ids_total",
        "Number of times the NFS server sent a response with a transaction ID"
        " unknown to this client.",
    ),
    Name(
        9,
        "transport_backlog_queue_total",
        "Total number of items added to the RPC backlog queue.",
    ),
    Name(
        10,
        "transport_maximum_rpc_slots",
        "Maximum number of simultaneously active RPC requests ever used.",
    ),
    Name(
        11,
        "transport_sending_queue_total",
        "Total number of items added to the RPC transmission sending queue.",
    ),
    Name(
        12,
        "transport_pending_queue_total",
        "Total number of items added to the RPC transmission pending queue.",
    ),
)

OPERATIONS = (
    Name(
        0,
        "operations_requests_total",
        "Number of requests performed for a given operation.",
    ),
    Name(
        1,
        "operations_transmissions_total",
        "Number of times an actual RPC request has been transmitted for a given"
        " operation.",
    ),
    Name(
        2,
        "operations_major_timeouts_total",
        "Number of times a request has had a major timeout for a given operation.",
    ),
    Name(
        3,
        "operations_sent_bytes_total",
        "Number of bytes sent for a given operation, including RPC headers and"
        " payload.",
    ),
    Name(
        4,
        "operations_received_bytes_total",
        "Number of bytes received for a given operation, including RPC headers"
        " and payload.",
    ),
    Name(
        5,
        "operations_queue_time_seconds_total",
        "Duration all requests spent queued for transmission for a given"
        " operation before they were sent, in seconds.",
    ),
    Name(
        6,
        "operations_response_time_seconds_total",
        "Duration all requests took to get a reply back after a request for a"
        " given operation was transmitted, in seconds.",
    ),
    Name(
        7,
        "operations_request_time_seconds_total",
        "Duration all requests took from when a request was enqueued to when it"
        " was completely handled for a given operation, in seconds.",
    ),
)

# Number 18, of waits for congestion, is not exported.
EVENTS = (
    Name(
        0,
        "event_inode_revalidate_total",
        "Number of times cached inode attributes are re-validated from the server.",
    ),
    Name(
        1,
        "event_dnode_revalidate_total",
        "Number of times cached dentry nodes are re-validated from the server.",
    ),
    Name(
        2,
        "event_data_invalidate_total",
        "Number of times an inode cache is cleared.",
    ),
    Name(
        3,
        "event_attribute_invalidate_total",
        "Number of times cached inode attributes are invalidated.",
    ),
    Name(
        4,
        "event_vfs_open_total",
        "Number of times cached inode attributes are invalidated.",
    ),
    Name(
        5,
        "event_vfs_lookup_total",
        "Number of times a directory lookup has occurred.",
    ),
    Name(6, "event_vfs_access_total", "Number of times permissions have been checked."),
    Name(
        7,
        "event_vfs_update_page_total",
        "Number of updates (and potential writes) to pages.",
    ),
    Name(
        8,
        "event_vfs_read_page_total",
        "Number of pages read directly via mmap()'d files.",
    ),
    Name(
        9,
        "event_vfs_read_pages_total",
        "Number of times a group of pages have been read.",
    ),
    Name(
        10,
        "event_vfs_write_page_total",
        "Number of pages written directly via mmap()'d files.",
    ),
    Name(
        11,
        "event_vfs_write_pages_total",
        "Number of times a group of pages have been written.",
    ),
    Name(
        12,
        "event_vfs_getdents_total",
        "Number of times directory entries have been read with getdents().",
    ),
    Name(
        13,
        "event_vfs_setattr_total",
        "Number of times directory entries have been read with getdents().",
    ),
    Name(
        14,
        "event_vfs_flush_total",
        "Number of pending writes that have been forcefully flushed to the server.",
    ),
    Name(
        15,
        "event_vfs_fsync_total",
        "Number of times fsync() has been called on directories and files.",
    ),
    Name(
        16,
        "event_vfs_lock_total",
        "Number of times locking has been attempted on a file.",
    ),
    Name(
        17,
        "event_vfs_file_release_total",
        "Number of times files have been closed and released.",
    ),
    Name(19, "event_truncation_total", "Number of times files have been truncated."),
    Name(
        20,
        "event_write_extension_total",
        "Number of times a file has been grown due to writes beyond its existing end.",
    ),
    Name(
        21,
        "event_silly_rename_total",
        "Number of times a file was removed while still open by another process.",
    ),
    Name(
        22,
        "event_short_read_total",
        "Number of times the NFS server gave less data than expected while reading.",
    ),
    Name(
        23,
        "event_short_write_total",
        "Number of times the NFS server wrote less data than expected while writing.",
    ),
    Name(
        24,
        "event_jukebox_delay_total",
        "Number of times the NFS server indicated EJUKEBOX; retrieving data"
        " from offline storage.",
    ),
    Name(25, "event_pnfs_read_total", "Number of NFS v4.1+ pNFS reads."),
    Name(26, "event_pnfs_write_total", "Number of NFS v4.1+ pNFS writes."),
)
