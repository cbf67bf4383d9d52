from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.node.paths import Paths
from exporters.node.storage import mountinfo
from exporters.node.storage.mountinfo import Mount
from tests.node.conftest import FIXTURES


DATA = (FIXTURES / "proc/1/mountinfo").read_bytes()


def test_parse() -> None:
    root, *_ = mountinfo.parse(DATA)
    assert root == Mount(
        major=254,
        minor=0,
        mount_point="/",
        options=frozenset({"rw", "relatime"}),
        fs_type="ext4",
        source="/dev/vda",
        super_options=frozenset({"rw", "errors=remount-ro"}),
    )


def test_read_only_is_said_in_three_places() -> None:
    found = {mount.fs_type: mount.is_read_only for mount in mountinfo.parse(DATA)}
    assert (found["ext4"], found["xfs"], found["nfs4"]) == (False, True, True)
    frozen = Mount(0, 1, "/", frozenset(), "x", "x", frozenset({"ro"}))
    assert frozen.is_read_only


def test_an_empty_source_is_kept() -> None:
    (mount,) = mountinfo.parse(b"1 2 0:1 / /a rw - tmpfs  rw\n")
    assert (mount.fs_type, mount.source) == ("tmpfs", "")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"1 2 0:1 / /a rw - x y", "2: too few fields"),
        (b"1 2 0:1 / /a rw shared:1 x y z rw", "2: couldn't find separator"),
        (b"1 2 0-1 / /a rw - x y rw", "2: malformed mount point MajorMinorVer: '0-1'"),
    ],
)
def test_refusals_name_the_line(line: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        mountinfo.parse(b"1 2 0:1 / / rw - x y rw\n" + line)


@pytest.mark.parametrize(
    ("raw", "label", "path"),
    [
        (rb"/a\040b\011c", "/a b\tc", b"/a b\tc"),
        (rb"/a\012b\134c", r"/a\012b\134c", b"/a\nb\\c"),
        (b"/a\xff\xfe/b\xe2\x82", "/a\ufffd/b\ufffd", b"/a\xff\xfe/b\xe2\x82"),
        ("/é".encode(), "/é", "/é".encode()),
        (rb"/\303\251", r"/\303\251", "/é".encode()),
    ],
)
def test_labels_are_upstreams_and_paths_the_kernels(
    raw: bytes, label: str, path: bytes
) -> None:
    (mount,) = mountinfo.parse(b"1 2 0:1 / " + raw + b" rw - x y rw")
    assert mountinfo.label(mountinfo.shown(mount.mount_point)) == label
    assert mountinfo.path_bytes(mountinfo.unescape(mount.mount_point)) == path


def test_a_hidden_pid_1_gives_our_own_mounts(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "self/mountinfo").write_bytes(DATA)
    found = mountinfo.read(Paths(procfs=str(tmp_path)))
    assert found == mountinfo.parse(DATA)


def test_no_mounts_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        mountinfo.read(Paths(procfs=str(tmp_path)))


pieces = st.sampled_from([b" ", b"\\040", b"\\", b"0:1", b"-", b"\n", b",", b"\xff"])


@given(st.lists(pieces | st.binary(max_size=4)))
def test_rubbish_raises_only_value_error(parts: list[bytes]) -> None:
    with contextlib.suppress(ValueError):
        for mount in mountinfo.parse(b"1 2 0:1 / /" + b"".join(parts)):
            mountinfo.label(mountinfo.shown(mount.mount_point)).encode()
            mountinfo.path_bytes(mountinfo.unescape(mount.mount_point))
