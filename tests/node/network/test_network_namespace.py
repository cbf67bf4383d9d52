"""Collectors beside the kernel, in a network namespace whose content is known."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[3]
NEEDED = ("unshare", "ip", "tc", "mount")

SETUP = """
mount -t sysfs none /sys
ip link set lo up
ip link add probe0 type veth peer name probe1
ip link set probe0 alias "uplink to core"
ip link set probe0 group 7
ip link property add dev probe0 altname enp9s0
ip link set probe0 up
ip link set probe1 up
ip link add quiet0 type veth peer name quiet1
ip addr add 192.0.2.1/24 dev probe0
ip -6 addr add fd00:7::1/64 dev probe0 nodad
ip route add 203.0.113.0/24 via 192.0.2.9 src 192.0.2.1 metric 77 proto static
ip route add 10.7.0.0/16 nexthop via 192.0.2.2 weight 3 nexthop via 192.0.2.3
ip route add 10.9.0.0/16 dev probe0 table 5
ip route add 10.9.0.0/16 dev probe0 table 6
ip route add blackhole 10.10.0.0/16
ip -6 route add fd00:8::/64 via fd00:7::2 proto ra
tc qdisc replace dev probe0 root pfifo limit 7
exec "$@"
"""
PROGRAM = """
import json, socket, sys
from exporters.node.collectors import (
    ethtool, netclass, netdev, network_route, qdisc, tcpstat
)
from exporters.node.paths import Paths
from exporters.node.registry import Context
from exporters.toolkit.exposition import encode
from exporters.toolkit.flags import Program

def shown(module, *argv):
    spec = module.COLLECTOR
    values = Program("x", "", (spec.switch, *spec.flags)).parse(argv, {})
    return encode(spec.create(Context(Paths(), values))()).decode().splitlines()

only = "--collector.network.device-include=^probe"
server = socket.create_server(("127.0.0.1", 0), backlog=9)
print(json.dumps({
    "ethtool": shown(ethtool, only),
    "netclass": shown(netclass),
    "netclass.netlink": shown(netclass, "--collector.netclass.netlink"),
    "netdev": shown(netdev, only),
    "network_route": shown(network_route),
    "network_route.none": shown(network_route, only.replace("probe", "never")),
    "qdisc": shown(qdisc, only),
    "tcpstat": shown(tcpstat),
}))
"""

Shown = dict[str, list[str]]


@pytest.fixture(scope="module")
def shown() -> Shown:
    """What each collector says in the namespace, line by line."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    inside = ["unshare", "--map-root-user", "--net", "--mount"]
    probe = [*inside, "mount", "-t", "sysfs", "none", "/sys"]
    allowed = subprocess.run(probe, capture_output=True, text=True, check=False)
    if allowed.returncode != 0:
        pytest.skip(f"no network namespace here: {allowed.stderr.strip()}")
    done = subprocess.run(
        [*inside, "sh", "-ec", SETUP, "sh", sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "Unknown device type" in done.stderr:
        pytest.skip("this kernel has no veth")
    assert done.returncode == 0, done.stderr
    found: Shown = json.loads(done.stdout)
    return found


def samples(lines: list[str]) -> dict[str, float]:
    rows = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in rows}


def test_ethtool(shown: Shown) -> None:
    found = samples(shown["ethtool"])
    info = (
        'node_ethtool_info{bus_info="",device="probe0",driver="veth",'
        'expansion_rom_version="",firmware_version="",version="1.0"}'
    )
    assert found[info] == 1
    peers = {found[f'node_ethtool_peer_ifindex{{device="probe{n}"}}'] for n in (0, 1)}
    assert len(peers) == 2
    assert found['node_network_autonegotiate{device="probe0"}'] == 0
    assert not any("quiet0" in name for name in found)


def test_routes(shown: Shown) -> None:
    found = samples(shown["network_route"])
    head = "node_network_route_info"
    for labels in (
        (
            'dest="203.0.113.0/24",device="probe0",gw="192.0.2.9",priority="77",'
            'proto="static",src="192.0.2.1",weight=""'
        ),
        (
            'dest="10.7.0.0/16",device="probe0",gw="192.0.2.2",priority="0",'
            'proto="boot",src="",weight="3"'
        ),
        (
            'dest="10.7.0.0/16",device="probe0",gw="192.0.2.3",priority="0",'
            'proto="boot",src="",weight="1"'
        ),
        (
            'dest="10.9.0.0/16",device="probe0",gw="",priority="0",'
            'proto="boot",src="",weight=""'
        ),
        (
            'dest="fd00:8::/64",device="probe0",gw="fd00:7::2",priority="1024",'
            'proto="ra",src="",weight=""'
        ),
    ):
        assert found[f"{head}{{{labels}}}"] == 1
    assert not any("10.10.0.0" in name or "127.0.0" in name for name in found)
    infos = [n for n in found if n.startswith(head) and 'device="probe0"' in n]
    # 10.9.0.0/16 is in two tables: one sample, two routes
    assert found['node_network_routes{device="probe0"}'] == len(infos) + 1
    assert shown["network_route.none"] == []


def test_qdiscs(shown: Shown) -> None:
    found = samples(shown["qdisc"])
    assert {n for n in found if n.startswith("node_qdisc_bytes_total")} == {
        'node_qdisc_bytes_total{device="probe0",kind="pfifo"}',
        'node_qdisc_bytes_total{device="probe1",kind="noqueue"}',
    }
    assert found['node_qdisc_drops_total{device="probe0",kind="pfifo"}'] == 0
    assert len(found) == 14


def test_tcp_sockets(shown: Shown) -> None:
    found = samples(shown["tcpstat"])
    assert found == {
        'node_tcp_connection_states{state="listen"}': 1,
        'node_tcp_connection_states{state="rx_queued_bytes"}': 0,
        'node_tcp_connection_states{state="tx_queued_bytes"}': 9,
    }


def test_netdev_obeys_the_common_filter(shown: Shown) -> None:
    found = samples(shown["netdev"])
    devices = {n.partition('device="')[2].partition('"')[0] for n in found}
    assert devices == {"probe0", "probe1"}


def test_netclass_says_the_same_by_sysfs_and_by_netlink(shown: Shown) -> None:
    sysfs, netlink = samples(shown["netclass"]), samples(shown["netclass.netlink"])
    # flags: sysfs leaves the volatile ones out; info: other labels
    differ = ("node_network_flags", "node_network_info")
    common = {n: v for n, v in sysfs.items() if not n.startswith(differ)}
    assert {name: netlink[name] for name in common} == common
    assert netlink['node_network_net_dev_group{device="probe0"}'] == 7
    assert netlink['node_network_speed_bytes{device="probe0"}'] == 1.25e9
    more = {name.partition("{")[0] for name in netlink.keys() - sysfs.keys()}
    # sysfs says no carrier, no speed and not dormant of a device that is down
    assert more == {
        "node_network_altnames_info",
        "node_network_carrier",
        "node_network_dormant",
        "node_network_info",
        "node_network_speed_bytes",
    }
    altname = 'node_network_altnames_info{altname="enp9s0",device="probe0"}'
    assert netlink[altname] == 1
