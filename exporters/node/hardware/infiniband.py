"""The standard counters of an InfiniBand port (procfs sysfs/class_infiniband.go).

The kernel's side is Documentation/ABI/stable/sysfs-class-infiniband.
"""

from __future__ import annotations

from collections.abc import Mapping


Table = Mapping[str, tuple[str, str]]
"""File -> family without ``node_infiniband_``, HELP."""

# Counted by lane, of which a port has four.
LANES = 4
BY_LANE = frozenset(
    {"port_rcv_data", "port_xmit_data", "port_rcv_data_64", "port_xmit_data_64"}
)

COUNTERS: Table = {
    "excessive_buffer_overrun_errors": (
        "excessive_buffer_overrun_errors_total",
        (
            "Number of times that OverrunErrors consecutive flow control update"
            " periods occurred, each having at least one overrun error."
        ),
    ),
    "link_downed": (
        "link_downed_total",
        (
            "Number of times the link failed to recover from an error state and"
            " went down"
        ),
    ),
    "link_error_recovery": (
        "link_error_recovery_total",
        "Number of times the link successfully recovered from an error state",
    ),
    "local_link_integrity_errors": (
        "local_link_integrity_errors_total",
        (
            "Number of times that the count of local physical errors exceeded the"
            " threshold specified by LocalPhyErrors."
        ),
    ),
    "multicast_rcv_packets": (
        "multicast_packets_received_total",
        "Number of multicast packets received (including errors)",
    ),
    "multicast_xmit_packets": (
        "multicast_packets_transmitted_total",
        "Number of multicast packets transmitted (including errors)",
    ),
    "port_rcv_constraint_errors": (
        "port_constraint_errors_received_total",
        "Number of packets received on the switch physical port that are discarded",
    ),
    "port_xmit_constraint_errors": (
        "port_constraint_errors_transmitted_total",
        "Number of packets not transmitted from the switch physical port",
    ),
    "port_rcv_data": (
        "port_data_received_bytes_total",
        "Number of data octets received on all links",
    ),
    "port_xmit_data": (
        "port_data_transmitted_bytes_total",
        "Number of data octets transmitted on all links",
    ),
    "port_rcv_discards": (
        "port_discards_received_total",
        (
            "Number of inbound packets discarded by the port because the port is"
            " down or congested"
        ),
    ),
    "port_xmit_discards": (
        "port_discards_transmitted_total",
        (
            "Number of outbound packets discarded by the port because the port is"
            " down or congested"
        ),
    ),
    "port_rcv_errors": (
        "port_errors_received_total",
        "Number of packets containing an error that were received on this port",
    ),
    "port_rcv_packets": (
        "port_packets_received_total",
        "Number of packets received on all VLs by this port (including errors)",
    ),
    "port_xmit_packets": (
        "port_packets_transmitted_total",
        ("Number of packets transmitted on all VLs from this port (including errors)"),
    ),
    "port_xmit_wait": (
        "port_transmit_wait_total",
        (
            "Number of ticks during which the port had data to transmit but no"
            " data was sent during the entire tick"
        ),
    ),
    "unicast_rcv_packets": (
        "unicast_packets_received_total",
        "Number of unicast packets received (including errors)",
    ),
    "unicast_xmit_packets": (
        "unicast_packets_transmitted_total",
        "Number of unicast packets transmitted (including errors)",
    ),
    "port_rcv_remote_physical_errors": (
        "port_receive_remote_physical_errors_total",
        (
            "Number of packets marked with the EBP (End of Bad Packet) delimiter"
            " received on the port."
        ),
    ),
    "port_rcv_switch_relay_errors": (
        "port_receive_switch_relay_errors_total",
        "Number of packets that could not be forwarded by the switch.",
    ),
    "symbol_error": (
        "symbol_error_total",
        "Number of minor link errors detected on one or more physical lanes.",
    ),
    "VL15_dropped": (
        "vl15_dropped_total",
        "Number of incoming VL15 packets dropped due to resource limitations.",
    ),
}
COUNTERS_EXT: Table = {  # before Linux 4.5
    "port_multicast_rcv_packets": (
        "legacy_multicast_packets_received_total",
        "Number of multicast packets received",
    ),
    "port_multicast_xmit_packets": (
        "legacy_multicast_packets_transmitted_total",
        "Number of multicast packets transmitted",
    ),
    "port_rcv_data_64": (
        "legacy_data_received_bytes_total",
        "Number of data octets received on all links",
    ),
    "port_rcv_packets_64": (
        "legacy_packets_received_total",
        "Number of data packets received on all links",
    ),
    "port_unicast_rcv_packets": (
        "legacy_unicast_packets_received_total",
        "Number of unicast packets received",
    ),
    "port_unicast_xmit_packets": (
        "legacy_unicast_packets_transmitted_total",
        "Number of unicast packets transmitted",
    ),
    "port_xmit_data_64": (
        "legacy_data_transmitted_bytes_total",
        "Number of data octets transmitted on all links",
    ),
    "port_xmit_packets_64": (
        "legacy_packets_transmitted_total",
        "Number of data packets received on all links",
    ),
}
