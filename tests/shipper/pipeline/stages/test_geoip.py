from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.toolkit.decode import DecodeError
from tests.shipper.pipeline.conftest import Rig
from tests.shipper.pipeline.mmdb import database


CITY = {
    "192.0.2.0/24": {
        "city": {"names": {"en": "Città", "de": "Stadt"}},
        "country": {"names": {"en": "Country"}, "iso_code": "CC"},
        "continent": {"names": {"en": "Europe"}, "code": "EU"},
        "postal": {"code": "00100"},
        "location": {"latitude": 41.5, "longitude": -0.00001, "time_zone": "Europe/X"},
        "subdivisions": [
            {"names": {"en": "Large"}, "iso_code": "L"},
            {"names": {"en": "Small"}, "iso_code": "S"},
        ],
    },
    "2001:db8::/32": {"country": {"names": {"en": "Six"}}},
    "198.51.100.0/25": {
        "city": {"names": {"de": "Stadt"}},
        "location": {"latitude": 0.0, "longitude": 0.0},
        "subdivisions": [],
        "postal": {"code": ""},
    },
    "203.0.113.0/24": {"city": "no map", "location": [1], "subdivisions": [7]},
}
ALL_OF_IT = {
    "geoip_city_name": "Città",
    "geoip_country_name": "Country",
    "geoip_continent_name": "Europe",
    "geoip_continent_code": "EU",
    "geoip_postal_code": "00100",
    "geoip_timezone": "Europe/X",
    "geoip_location_latitude": "41.5",
    "geoip_location_longitude": "-1e-05",
    "geoip_subdivision_name": "Small",
    "geoip_subdivision_code": "S",
}
ASN = {
    "192.0.2.0/24": {
        "autonomous_system_number": 64496,
        "autonomous_system_organization": "Example & Co",
    },
    "198.51.100.0/24": {"autonomous_system_number": 0},
}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "city.mmdb").write_bytes(database("GeoLite2-City", CITY))
    (tmp_path / "asn.mmdb").write_bytes(database("GeoLite2-ASN", ASN))
    v4_only = database("GeoLite2-ASN", ASN, ip_version=4)
    (tmp_path / "v4.mmdb").write_bytes(v4_only)
    (tmp_path / "text.mmdb").write_text("no database")
    whole = database("GeoLite2-ASN", ASN)
    (tmp_path / "cut.mmdb").write_bytes(whole[: whole.index(b"MaxMind.com") + 30])
    return tmp_path


def _stage(files: Path, name: str, db_type: str) -> str:
    keys = f"db: {files / name}, db_type: {db_type}, source: ip"
    return rf"- regex: {{expression: '^(?P<ip>\S+)'}}{chr(10)}- geoip: {{{keys}}}"


@pytest.mark.parametrize(
    ("line", "labels"),
    [
        ("192.0.2.7 GET /", ALL_OF_IT),
        ("::ffff:192.0.2.7", ALL_OF_IT),
        ("2001:db8::1", {"geoip_country_name": "Six"}),
        ("198.51.100.1", {}),
        ("203.0.113.9", {}),
        ("8.8.8.8", {}),
        ("no-address", {}),
        ("192.0.2.07", {}),
        ("fe80::1%eth0", {}),
        (" no match", {}),
    ],
)
def test_city(
    rig: Callable[..., Rig], files: Path, line: str, labels: dict[str, str]
) -> None:
    [out] = rig(_stage(files, "city.mmdb", "city")).feed(line)
    assert out.labels == {"job": "test", **labels}


@pytest.mark.parametrize(
    ("line", "labels"),
    [
        (
            "192.0.2.7",
            {
                "geoip_autonomous_system_number": "64496",
                "geoip_autonomous_system_organization": "Example & Co",
            },
        ),
        ("198.51.100.1", {}),
    ],
)
@pytest.mark.parametrize("name", ["asn.mmdb", "v4.mmdb"])
def test_asn(
    rig: Callable[..., Rig],
    files: Path,
    name: str,
    line: str,
    labels: dict[str, str],
) -> None:
    [out] = rig(_stage(files, name, "asn")).feed(line)
    assert out.labels == {"job": "test", **labels}


def test_a_database_of_the_other_type_says_nothing(
    rig: Callable[..., Rig], files: Path
) -> None:
    [out] = rig(_stage(files, "city.mmdb", "asn")).feed("192.0.2.7")
    assert out.labels == {"job": "test"}


def test_a_failure_is_told_once_a_minute(
    rig: Callable[..., Rig], files: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stages = rig(_stage(files, "v4.mmdb", "asn"))
    assert len(stages.feed_all(["2001:db8::1"] * 3)) == 3
    assert len(caplog.records) == 1
    assert caplog.records[0].__dict__["fields"]["ip"] == "2001:db8::1"


def test_without_a_source_it_does_nothing(
    rig: Callable[..., Rig], files: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stages = rig(f"- geoip: {{db: {files / 'asn.mmdb'}, db_type: asn}}")
    assert "without source" in caplog.text
    assert stages.feed("192.0.2.7")[0].labels == {"job": "test"}


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ("db: {}/asn.mmdb", "db type should be either city or asn"),
        ("db: {}/asn.mmdb, db_type: country", "db type should be either city or asn"),
        ("db_type: asn", "db path cannot be empty"),
        ("db: {}/asn.mmdb, db_type: asn, source: ''", "source cannot be empty"),
        ("db: {}/absent.mmdb, db_type: asn", "cannot read the database .*No such file"),
        ("db: {}, db_type: asn", "cannot read the database"),
        (
            "db: {}/text.mmdb, db_type: asn",
            "cannot read the database .*a valid MaxMind",
        ),
        ("db: {}/cut.mmdb, db_type: asn", "cannot read the database"),
    ],
)
def test_refused(rig: Callable[..., Rig], files: Path, keys: str, error: str) -> None:
    with pytest.raises(DecodeError, match=error):
        rig(f"- geoip: {{{keys.format(files)}}}")


def test_says_how_to_install_what_it_needs(
    rig: Callable[..., Rig], files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    with pytest.raises(DecodeError, match=r"pip install 'monitoring-exporters\[geoip"):
        rig(_stage(files, "asn.mmdb", "asn"))
