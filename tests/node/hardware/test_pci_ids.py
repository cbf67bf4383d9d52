from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.node.hardware import pci_ids
from exporters.node.hardware.pci_ids import PciIds
from exporters.node.paths import Paths


LIST = b"""\
# comment
0001  First
\t0010  First's device
0002  Second  with two blanks
\t0010  Second's device \t
\t\t0001 0099  Second's device by First
\t\t0003 0099  By Third
# comment inside

\t0011  Another
\t\t0001 0098  Another by First
0003 one blank
0004  M\xfc\xfcller\r
C 01  Storage
\t00  SCSI
\t06  SATA
\t\t00  Vendor's
\t\t01  AHCI 1.0
C 02  Network
\t06  Not SATA
ffff  Last
\t0010  Last's device"""


@pytest.fixture
def ids() -> PciIds:
    return PciIds(LIST)


@pytest.mark.parametrize(
    ("vendor", "name"),
    [
        ("0001", "First"),
        ("0002", "Second  with two blanks"),
        ("0003", "0003"),
        ("0004", "M\ufffdller"),
        ("0010", "0010"),
        ("ffff", "Last"),
    ],
)
def test_vendors(ids: PciIds, vendor: str, name: str) -> None:
    assert ids.vendor(vendor) == name


@pytest.mark.parametrize(
    ("vendor", "device", "name"),
    [
        ("0001", "0010", "First's device"),
        ("0002", "0010", "Second's device"),
        ("0002", "0011", "Another"),
        ("0001", "0011", "0011"),
        ("0009", "0010", "0010"),
        ("ffff", "0010", "Last's device"),
    ],
)
def test_devices(ids: PciIds, vendor: str, device: str, name: str) -> None:
    assert ids.device(vendor, device) == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("0002", "0010", "0001", "0099"), "Second's device by First"),
        (("0002", "0010", "0003", "0099"), "By Third"),
        (("0002", "0010", "0001", "0098"), "0098"),  # that is another device's
        (("0002", "0011", "0001", "0098"), "Another by First"),
        (("0001", "0010", "0001", "0099"), "0099"),
    ],
)
def test_subsystems(ids: PciIds, path: tuple[str, str, str, str], name: str) -> None:
    assert ids.subsystem(*path) == name


@pytest.mark.parametrize(
    ("class_id", "name"),
    [
        ("010601", "AHCI 1.0"),
        ("010602", "SATA"),
        ("010001", "SCSI"),
        ("017f00", "Storage"),
        ("020601", "Not SATA"),
        ("030000", "Unknown class (030000)"),
    ],
)
def test_classes(ids: PciIds, class_id: str, name: str) -> None:
    assert ids.class_name(class_id) == name


@given(st.binary(max_size=200) | st.just(LIST).map(lambda data: data[::2]))
def test_any_file_has_names_or_ids(data: bytes) -> None:
    ids = PciIds(data)
    assert ids.vendor("0001")
    assert ids.device("0001", "0010")
    assert ids.subsystem("0002", "0010", "0001", "0099")
    assert ids.class_name("010601")


def test_names_are_the_hosts_where_a_container_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pci_ids, "_FILES", ("/nowhere/pci.ids", "/hw/pci.ids"))
    (tmp_path / "hw").mkdir()
    (tmp_path / "hw/pci.ids").write_bytes(b"0001  Host's\n")
    paths = replace(Paths(), rootfs=str(tmp_path))
    assert pci_ids.read(paths, "") == b"0001  Host's\n"
    (tmp_path / "mine").write_bytes(b"0001  Mine\n")
    assert pci_ids.read(paths, str(tmp_path / "mine")) == b"0001  Mine\n"


def test_names_that_cannot_be_had_are_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        assert pci_ids.read(Paths(), "/nowhere/pci.ids") == b""
    assert len(caplog.records) == 1
    assert "/nowhere/pci.ids" in str(caplog.records[0].__dict__["fields"])
