"""What is wrong with where this process runs: facts in, sentences out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from exporters.node.check.findings import Finding, note, wrong
from exporters.node.check.place import Place


_OF_PROCESSES = ("processes",)
_OF_MOUNTS = ("filesystem", "mountstats")
_OF_ROOT = ("filesystem", "os")
_OF_NETWORK = (
    "arp",
    "conntrack",
    "ethtool",
    "netclass",
    "netdev",
    "netstat",
    "network_route",
    "qdisc",
    "sockstat",
    "tcpstat",
    "udp_queues",
    "wifi",
    "xfrm",
)
# They ask the kernel, which answers for the network that this process is in.
_NOT_OF_PATH_NET = ("conntrack", "ethtool", "network_route", "qdisc", "tcpstat", "wifi")

Enabled = Collection[str]
"""The names of the collectors that are on."""


def judge(place: Place, enabled: Enabled) -> Iterator[Finding]:
    """Yield what is wrong at *place* for those collectors that are *enabled*."""
    for aspect in _ASPECTS:
        yield from aspect(place, enabled)


def _rootfs(place: Place, enabled: Enabled) -> Iterator[Finding]:
    given, root = place.paths.rootfs, place.rootfs
    if given == "/":
        if place.contained:
            yield wrong(
                "This runs in a container without --path.rootfs: the metrics of"
                f" {_names(_OF_ROOT, enabled) or 'files'} are the container's and not"
                " the host's. Mount the host's / read-only, for example with"
                " -v /:/host:ro,rslave, and give --path.rootfs=/host."
            )
    elif root is None or not root.is_directory:
        yield wrong(f"--path.rootfs={given} is no directory that can be reached.")
    elif root.is_own:
        yield wrong(
            f"--path.rootfs={given} is the root that this process has anyway, and not"
            " the host's. Mount the host's / there."
        )
    elif not root.has_etc:
        yield wrong(f"--path.rootfs={given} has no etc: it is not the root of a host.")
    elif place.rootfs_mount is not None and place.rootfs_mount.is_private:
        yield wrong(
            f"--path.rootfs={given} is mounted without propagation: what the host"
            " mounts from now on is not seen, and filesystem tells of the directory"
            f" below it. Mount it with rslave: -v /:{given}:ro,rslave."
        )


def _procfs(place: Place, enabled: Enabled) -> Iterator[Finding]:
    procfs = place.paths.procfs
    if not place.is_procfs:
        yield wrong(f"--path.procfs={procfs} has no file stat: it is no procfs.")
        return
    if place.contained and place.hosts_processes is False:
        affected = _names((*_OF_PROCESSES, *_OF_MOUNTS), enabled)
        if affected:
            yield wrong(
                f"--path.procfs={procfs} shows the processes and mounts of this"
                f" container and not the host's, and so do the metrics of {affected}."
                " Run it with --pid=host (hostPID: true in Kubernetes), or mount the"
                " host's /proc, for example with -v /proc:/host/proc:ro, and give"
                " --path.procfs=/host/proc."
            )


def _hidden(place: Place, enabled: Enabled) -> Iterator[Finding]:
    """Judge a procfs that hides process 1, and its mounts with it.

    Outside of containers everybody has the mounts that process 1 has.
    """
    if place.init_error is None or not place.is_procfs:
        return
    known_anyway = () if place.contained else _OF_MOUNTS
    concerned = {*_OF_PROCESSES, *_OF_MOUNTS}.difference(known_anyway)
    affected = _names(sorted(concerned), enabled)
    option = place.procfs_mount.option("hidepid") if place.procfs_mount else ""
    if option not in {"", "0", "off"}:
        text = (
            f"{place.paths.procfs} is mounted with hidepid={option} and hides the"
            " processes of others from this user."
        )
        if not affected:
            yield note(f"{text} No collector that is on needs them.")
            return
        yield wrong(
            f"{text} The metrics of {affected} lack them. Run the exporter in the group"
            " that gid= of that mount names, or with CAP_SYS_PTRACE."
        )
    elif affected:
        yield wrong(
            f"The mounts of process 1 cannot be read: {place.init_error}. The metrics"
            f" of {affected} are about the mounts of the exporter itself."
        )


def _network(place: Place, enabled: Enabled) -> Iterator[Finding]:
    given = place.paths.net
    affected = _names(_NOT_OF_PATH_NET if given else _OF_NETWORK, enabled)
    if not affected:
        return
    if place.contained and place.hosts_network is False:
        other = (
            "" if given else ", or give --path.net=/host/proc/1/net for most of them"
        )
        yield wrong(
            f"This container has a network of its own: the metrics of {affected} are"
            " about that and not the host's. Run it with --network=host (hostNetwork:"
            f" true in Kubernetes){other}."
        )
        return
    if place.sysfs_devices is None or place.own_devices is None:
        return
    foreign = sorted(place.sysfs_devices - place.own_devices - {"bonding_masters"})
    if foreign and not (place.sysfs_devices & place.own_devices) - {"lo"}:
        yield wrong(
            f"--path.sysfs={place.paths.sysfs} shows network devices that this process"
            f" does not have ({', '.join(foreign[:5])}): netclass tells of another"
            " network than netdev."
        )


def _sysfs(place: Place, _enabled: Enabled) -> Iterator[Finding]:
    if not place.is_sysfs:
        yield wrong(
            f"--path.sysfs={place.paths.sysfs} has no directory class: it is no sysfs."
        )


def _udev(place: Place, enabled: Enabled) -> Iterator[Finding]:
    if place.has_udev or "diskstats" not in enabled:
        return
    text = f"There is no --path.udev.data={place.paths.udev_data}: node_disk_info lacks"
    text += " what udev knows (model, serial, path)."
    if place.rootfs_has_udev:
        text += f" Give --path.udev.data={place.paths.root('/run/udev/data')}."
    yield note(text)


def _names(names: Collection[str], enabled: Enabled) -> str:
    *others, last = [name for name in names if name in enabled] or [""]
    return f"{', '.join(others)} and {last}" if others else last


_ASPECTS: tuple[Callable[[Place, Enabled], Iterator[Finding]], ...] = (
    _rootfs,
    _procfs,
    _hidden,
    _network,
    _sysfs,
    _udev,
)
