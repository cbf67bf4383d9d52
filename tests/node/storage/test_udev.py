from __future__ import annotations

from hypothesis import given, strategies as st

from exporters.node.paths import Paths
from exporters.node.storage import udev


def test_only_properties_are_read(paths: Paths) -> None:
    found = udev.read_block_device(paths, 8, 0)
    assert found["ID_MODEL"] == "TOSHIBA_7"
    assert found["ID_REVISION"] == "A=1"
    assert not {"S", "disk/by-id/ata-TOSHIBA_7_XYZ"} & found.keys()


def test_lines_without_a_value_are_left_out() -> None:
    assert udev.parse(b"E:A\nE:B=\nF:C=1\nE:D=\xff") == {"B": "", "D": "\ufffd"}


@given(st.binary())
def test_rubbish_is_no_error(data: bytes) -> None:
    for text in udev.parse(data).values():
        text.encode()
