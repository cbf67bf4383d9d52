from __future__ import annotations

import pytest

from exporters.node.storage.mountstats import Mount, Operation, Transport, blocks, parse


def mount(*lines: str, version: str = "1.1") -> Mount:
    head = f"device h:/e mounted on /m with fstype nfs4 statvers={version}"
    (block,) = blocks("\n".join([head, *lines]).encode())
    return parse(block)


@pytest.mark.parametrize(
    ("version", "line", "numbers"),
    [
        ("1.0", "tcp 1 2 3 4 5 6 7 8 9 10", [*range(1, 11), 0, 0, 0]),
        ("1.0", "udp 1 2 6 7 8 9 10", [1, 2, 0, 0, 0, *range(6, 11), 0, 0, 0]),
        ("1.1", "tcp 1 2 3 4 5 6 7 8 9 10 11 12 13", [*range(1, 14)]),
        ("1.1", "udp 1 2 6 7 8 9 10 11 12 13", [1, 2, 0, 0, 0, *range(6, 14)]),
        ("1.1", "rdma " + " ".join(map(str, range(1, 29))), [*range(1, 11), 0, 0, 0]),
    ],
)
def test_transports(version: str, line: str, numbers: list[int]) -> None:
    (found,) = mount(f"\txprt:\t{line}", version=version).transports
    assert found == Transport(line.split(maxsplit=1)[0], numbers)


def test_operations_are_what_follows_per_op() -> None:
    found = mount(
        "\tage:\t7",
        "\tnew: 1",
        "\tper-op statistics",
        "\t    READ: 1 2 3 4 5 6 7 8",
        "\t     age: 1 2 3 4 5 6 7 8 9",
        "",
    )
    assert found.age_seconds == 7
    assert found.operations == [
        Operation("READ", [1, 2, 3, 4, 5, 6, 7, 8]),
        Operation("age", [1, 2, 3, 4, 5, 6, 7, 8]),
    ]


@pytest.mark.parametrize(
    ("version", "line", "reason"),
    [
        ("1.1", "age: x", r"line 2 \(age:\): expected an unsigned integer"),
        ("1.1", "age:", "expected an unsigned integer"),
        ("1.1", "bytes: 1 2 3", "expected 8 numbers, got 3"),
        ("1.1", "events: 1", "expected 27 numbers, got 1"),
        ("1.1", "xprt:", "expected a transport of version 1.0 or 1.1"),
        ("1.1", "xprt: local 1 2", "expected a transport"),
        ("1.2", "xprt: tcp 1 2", "expected a transport"),
        ("1.0", "xprt: rdma 1 2", "expected a transport"),
        ("1.0", "xprt: tcp 1 2 3 4 5 6 7 8 9 10 11 12 13", "expected 10 numbers"),
        ("1.1", "xprt: tcp 1 2 3 4 5 6 7 8 9 10", "expected 13 numbers"),
        ("1.1", "xprt: rdma 1 2 3 4 5 6 7 8 9 10", "expected at least 20 numbers"),
        ("1.1", "per-op\n READ: 1 2 3", "expected 8 numbers, got 3"),
        ("1.1", "per-op\n READ: 1 2 3 4 5 6 7 8 x", "expected an unsigned integer"),
    ],
)
def test_refused(version: str, line: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        mount(line, version=version)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"device x mounted on /", "expected 'device D mounted on M with fstype T'"),
        (b"device x mounted at / with fstype y", "expected 'device D mounted on M"),
        (b"device x mounted on / with fstype ceph a=1", "no statistics known of"),
    ],
)
def test_bad_mount_refused(line: bytes, reason: str) -> None:
    (block,) = blocks(line)
    with pytest.raises(ValueError, match=reason):
        parse(block)


def test_blocks_begin_at_device() -> None:
    data = b"lost\ndevice a mounted on / with fstype b\n\ndevice c\n opts: d\n"
    assert list(blocks(data)) == [
        [(2, b"device a mounted on / with fstype b".split())],
        [(4, [b"device", b"c"]), (5, [b"opts:", b"d"])],
    ]
    (plain, _) = blocks(data)
    assert not parse(plain).is_nfs
