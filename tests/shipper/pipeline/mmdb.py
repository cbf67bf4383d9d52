"""Write small databases of MaxMind's format (the specification, version 2.0)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any


_UINT16, _UINT32, _UINT64 = 5, 6, 9

Node = list[Any]  # two of: a Node, a record's index, None


def database(kind: str, networks: Mapping[str, Any], *, ip_version: int = 6) -> bytes:
    """Return a database of type *kind* with a record for each of *networks*."""
    root: Node = [None, None]
    records: list[bytes] = []
    for network, record in networks.items():
        _insert(root, _bits(network, ip_version), len(records))
        records.append(_encode(record))
    nodes = _numbered(root)
    offsets = [sum(map(len, records[:index])) for index in range(len(records))]
    tree = b"".join(
        _pointer(child, nodes, offsets).to_bytes(3)
        for node in nodes.values()
        for child in node
    )
    metadata = {
        "binary_format_major_version": (_UINT16, 2),
        "binary_format_minor_version": (_UINT16, 0),
        "build_epoch": (_UINT64, 1_700_000_000),
        "database_type": kind,
        "description": {"en": "test"},
        "ip_version": (_UINT16, ip_version),
        "languages": ["en"],
        "node_count": (_UINT32, len(nodes)),
        "record_size": (_UINT16, 24),
    }
    return b"".join(
        [tree, bytes(16), *records, b"\xab\xcd\xefMaxMind.com", _encode(metadata)]
    )


def _bits(network: str, ip_version: int) -> str:
    """Return the bits that lead to *network*; IPv4 lies at the start of IPv6."""
    found = ip_network(network)
    bits = f"{int(found.network_address):0{found.max_prefixlen}b}"[: found.prefixlen]
    return "0" * 96 + bits if (found.version, ip_version) == (4, 6) else bits


def _insert(root: Node, bits: str, record: int) -> None:
    node = root
    for bit in bits[:-1]:
        if not isinstance(node[int(bit)], list):
            node[int(bit)] = [None, None]
        node = node[int(bit)]
    node[int(bits[-1])] = record


def _numbered(root: Node) -> dict[int, Node]:
    """Return the nodes by id(), the root first."""
    nodes: dict[int, Node] = {}
    pending = [root]
    while pending:
        node = pending.pop(0)
        nodes[id(node)] = node
        pending += [child for child in node if isinstance(child, list)]
    return nodes


def _pointer(child: Any, nodes: dict[int, Node], offsets: list[int]) -> int:
    match child:
        case list():
            return list(nodes).index(id(child))
        case int():
            return len(nodes) + 16 + offsets[child]
    return len(nodes)


def _encode(value: Any) -> bytes:
    match value:
        case str():
            data = value.encode()
            return _control(2, len(data)) + data
        case float():
            return _control(3, 8) + struct.pack(">d", value)
        case int():
            return _encode((_UINT32, value))
        case (int() as kind, int() as number):
            data = number.to_bytes((number.bit_length() + 7) // 8)
            return _control(kind, len(data)) + data
        case dict():
            pairs = b"".join(_encode(k) + _encode(v) for k, v in value.items())
            return _control(7, len(value)) + pairs
        case list():
            return _control(11, len(value)) + b"".join(map(_encode, value))
    raise TypeError(type(value).__name__)


def _control(kind: int, size: int) -> bytes:
    more = b"" if size < 29 else bytes([size - 29])
    first = min(size, 29)
    if kind < 8:
        return bytes([kind << 5 | first]) + more
    return bytes([first, kind - 7]) + more
