from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.node import keeper as module
from exporters.node.keeper import Keeper, parse_devices, state_of
from exporters.node.kept_attributes import KeptAttributes
from exporters.node.kept_file import KeptFile


@pytest.fixture
def keeper() -> Keeper:
    keeper = Keeper()
    keeper.look()
    return keeper


@pytest.fixture
def descriptor() -> Iterator[int]:
    descriptor = os.open("/proc/loadavg", os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_the_kernels_own_file_systems_are_found_among_others() -> None:
    data = (
        b"22 1 0:20 / /proc rw,nosuid shared:5 - proc proc rw\n"
        b"23 1 0:21 / /sys rw - sysfs sysfs rw\n"
        b"24 23 254:1 / / rw - ext4 /dev/vda1 rw\n"
        b"25 22 0:33 / /proc/meminfo rw - fuse.lxcfs lxcfs rw\n"
        b"26 23 0:34 /proc /x rw - tmpfs proc rw\n"
    )
    assert parse_devices(data) == {os.makedev(0, 20), os.makedev(0, 21)}


@given(st.binary())
def test_rubbish_has_none(data: bytes) -> None:
    assert parse_devices(data + b"\nx y z - proc proc rw") == frozenset()


def test_only_mounts_at_or_below_the_roots_matter(tmp_path: Path) -> None:
    root = tmp_path / "a b"
    root.mkdir()
    escaped = str(root).replace(" ", "\\040").encode()
    roots = (str(root),)

    def state(*places: bytes) -> object:
        lines = [b"22 1 0:20 / %s rw - proc proc rw\n" % place for place in places]
        return state_of(b"".join(lines), roots)

    before = state(escaped)
    assert before == state(escaped, b"/elsewhere", escaped + b"c", b"/")
    assert before != state(escaped, escaped)
    assert before != state(escaped, escaped + b"/stat")
    assert state_of(b"", ("/",)) != state_of(b"1 1 0:1 / / rw - proc proc rw", ("/",))


def test_what_leads_to_a_root_matters(tmp_path: Path) -> None:
    link = tmp_path / "proc"
    states = [state_of(b"", (str(link),))]
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        link.unlink(missing_ok=True)
        link.symlink_to(tmp_path / name)
        states.append(state_of(b"", (str(link),)))
    (tmp_path / "two").rename(tmp_path / "three")
    (tmp_path / "two").mkdir()
    states.append(state_of(b"", (str(link),)))
    assert all(states.count(state) == 1 for state in states)


@given(st.binary())
def test_rubbish_has_a_state(data: bytes) -> None:
    assert state_of(data, ("/proc",)) == state_of(data, ("/proc",))


def test_before_a_scrape_nothing_may_be_kept(descriptor: int) -> None:
    assert not Keeper().keep(descriptor)


def test_procfs_may_be_kept_and_a_plain_file_may_not(
    keeper: Keeper, descriptor: int, tmp_path: Path
) -> None:
    assert keeper.keep(descriptor)
    plain = tmp_path / "loadavg"
    plain.write_text("0 0 0\n")
    with plain.open() as file:
        assert not keeper.keep(file.fileno())


def test_there_is_a_limit(
    keeper: Keeper, descriptor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 1)
    keeper = Keeper()
    keeper.look()
    assert keeper.keep(descriptor)
    second = os.dup(descriptor)
    assert not keeper.keep(second)
    keeper.close(descriptor)
    assert keeper.keep(second)
    keeper.close(second)
    os.open("/proc/loadavg", os.O_RDONLY)  # for the fixture to close: the same number


def test_without_mountinfo_nothing_is_kept(
    descriptor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOUNTS", "/nowhere")
    keeper = Keeper()
    keeper.look()
    assert keeper.epoch == 0
    assert not keeper.keep(descriptor)


def test_a_file_is_opened_once_and_says_what_is_now(keeper: Keeper) -> None:
    uptime = KeptFile("/proc/uptime", keeper)
    first = uptime.read()
    before = descriptors()
    while uptime.read() == first:
        pass
    assert descriptors() == before


@pytest.mark.parametrize("name", ["vmstat", "kallsyms", "mounts", "sys/fs/file-max"])
def test_a_long_file_is_whole(keeper: Keeper, name: str) -> None:
    path = f"/proc/{name}"
    file = KeptFile(path, keeper)
    lines = Path(path).read_bytes().count(b"\n")
    assert [file.read().count(b"\n") for _ in range(3)] == [lines] * 3


def test_a_plain_file_is_opened_anew(keeper: Keeper, tmp_path: Path) -> None:
    path = tmp_path / "stat"
    file = KeptFile(str(path), keeper)
    assert file.read_optional() is None
    path.write_text("one")
    assert file.read() == b"one"
    other = tmp_path / "new"
    other.write_text("two")
    other.replace(path)
    assert file.read() == b"two"
    path.unlink()
    with pytest.raises(FileNotFoundError):
        file.read()
    assert KeptFile(f"{other}/x", keeper).read_optional() is None


def test_attributes_are_what_sysfs_says(keeper: Keeper, tmp_path: Path) -> None:
    names = ("mtu", "address", "no_such_file")
    loopback = KeptAttributes("/sys/class/net/lo", names, keeper)
    first = loopback.read()
    assert first == loopback.read()
    assert first.keys() <= {"mtu", "address"}
    assert first["address"] == "00:00:00:00:00:00"
    with pytest.raises(FileNotFoundError):
        KeptAttributes(str(tmp_path / "none"), names, keeper).read()


def test_what_is_kept_is_closed_with_its_owner(keeper: Keeper) -> None:
    before = descriptors()
    file = KeptFile("/proc/uptime", keeper)
    attributes = KeptAttributes("/sys/class/net/lo", ("mtu", "address"), keeper)
    file.read()
    attributes.read()
    assert descriptors() == before + 3
    del file, attributes
    assert descriptors() == before


def test_a_file_that_comes_in_short_pieces_is_read_to_its_end(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As mdstat does: an array of 100 disks leaves no room for the next in a page.
    content = b"a" * 2000 + b"b" * 3000 + b"c" * 500
    pieces = {0: content[:2000], 2000: content[2000:5000], 5000: content[5000:]}
    file = KeptFile("/proc/loadavg", keeper)
    file.read()
    monkeypatch.setattr(os, "pread", lambda _fd, _room, at: pieces.get(at, b""))
    assert file.read() == content
