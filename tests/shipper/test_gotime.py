"""The expected values are those of Go 1.23: None where Parse gives an error."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from shipper.gotime import UTC, Layout, Location, TimeError, format_time, local
from shipper.gotime.calendar import civil, days_since_epoch
from shipper.gotime.known import MAX_TIMES


CASES: list[tuple[str, str, str | None, int | None]] = [
    (
        "02/Jan/2006:15:04:05 -0700",
        "14/Nov/2025:23:59:59 +0100",
        None,
        1_763_161_199_000_000_000,
    ),
    (
        "02/Jan/2006:15:04:05 -0700",
        "14/nOV/2025:23:59:59 +0100",
        None,
        1_763_161_199_000_000_000,
    ),
    (
        "02/Jan/2006:15:04:05 -0700",
        "14/Nov/2025:3:59:59 +0100",
        None,
        1_763_089_199_000_000_000,
    ),
    (
        "02/Jan/2006:15:04:05 -0700",
        "14/Nov/2025:03:59:59.1234567899 +0100",
        None,
        1_763_089_199_123_456_789,
    ),
    (
        "02/Jan/2006:15:04:05 -0700",
        "14/Nov/2025:03:59:59,5 +0100",
        None,
        1_763_089_199_500_000_000,
    ),
    ("02/Jan/2006:15:04:05 -0700", "14/Nov/2025:03:59:59. +0100", None, None),
    ("02/Jan/2006:15:04:05 -0700", "14/Nov/2025:24:00:00 +0100", None, None),
    ("02/Jan/2006:15:04:05 -0700", "14/Nov/2025:00:60:00 +0100", None, None),
    ("02/Jan/2006:15:04:05 -0700", "31/Apr/2025:00:00:00 +0000", None, None),
    (
        "02/Jan/2006:15:04:05 -0700",
        "29/Feb/2024:00:00:00 +0000",
        None,
        1_709_164_800_000_000_000,
    ),
    ("02/Jan/2006:15:04:05 -0700", "29/Feb/2025:00:00:00 +0000", None, None),
    ("02/Jan/2006:15:04:05 -0700", "29/Feb/1900:00:00:00 +0000", None, None),
    (
        "02/Jan/2006:15:04:05 -0700",
        "29/Feb/2000:00:00:00 +0000",
        None,
        951_782_400_000_000_000,
    ),
    ("02/Jan/2006:15:04:05 -0700", "00/Jan/2025:00:00:00 +0000", None, None),
    (
        "02/Jan/2006:15:04:05 -0700",
        "14/Nov/2025:00:00:00 +2460",
        None,
        1_762_988_400_000_000_000,
    ),
    ("02/Jan/2006:15:04:05 -0700", "14/Nov/2025:00:00:00 +2500", None, None),
    ("02/Jan/2006:15:04:05 -0700", "14/Nov/2025:00:00:00 0100", None, None),
    (
        "02/Jan/2006:15:04:05 -0700",
        "14/Nov/2025:00:00:00    +0100",
        None,
        1_763_074_800_000_000_000,
    ),
    ("02/Jan/2006:15:04:05 -0700", "14/Nov/2025:00:00:00", None, None),
    ("02/Jan/2006:15:04:05 -0700", "14/Nov/2025:00:00:00 +0100 ", None, None),
    ("02/Jan/2006:15:04:05 -0700", "14/İov/2025:00:00:00 +0100", None, None),
    ("02/Jan/2006:15:04:05 -0700", "١٤/Nov/2025:00:00:00 +0100", None, None),
    (
        "2006-01-02T15:04:05Z07:00",
        "9999-12-31T23:59:59.999999999Z",
        None,
        253_402_300_799_999_999_999,
    ),
    (
        "2006-01-02T15:04:05Z07:00",
        "0000-01-01T00:00:00Z",
        None,
        -62_167_219_200_000_000_000,
    ),
    ("2006-01-02T15:04:05Z07:00", "10000-01-01T00:00:00Z", None, None),
    ("2006-01-02T15:04:05Z07:00", "1969-12-31T23:59:59.9Z", None, -100_000_000),
    (
        "2006-01-02T15:04:05Z07:00",
        "1677-09-21T00:12:43.145224193-05:30",
        None,
        -9_223_352_236_854_775_807,
    ),
    ("2006-01-02T15:04:05Z07:00", "2025-11-14T10:11:12z", None, None),
    ("2006-01-02T15:04:05Z07:00", "2025-11-14t10:11:12Z", None, None),
    (
        "2006-01-02T15:04:05Z0700",
        "2025-11-14T10:11:12+0530",
        None,
        1_763_095_272_000_000_000,
    ),
    (
        "2006-01-02T15:04:05Z07",
        "2025-11-14T10:11:12-08",
        None,
        1_763_143_872_000_000_000,
    ),
    (
        "2006-01-02T15:04:05Z07:00:00",
        "2025-11-14T10:11:12+00:53:28",
        None,
        1_763_111_864_000_000_000,
    ),
    (
        "2006-01-02T15:04:05-070000",
        "2025-11-14T10:11:12+005328",
        None,
        1_763_111_864_000_000_000,
    ),
    (
        "2006-01-02T15:04:05-07:00:00",
        "2025-11-14T10:11:12-00:00:01",
        "Asia/Kolkata",
        1_763_095_272_000_000_000,
    ),
    ("Jan _2 15:04:05", "Mar  3 10:11:12", None, -62_161_825_728_000_000_000),
    ("Jan _2 15:04:05", "Mar 13 10:11:12", None, -62_160_961_728_000_000_000),
    ("Jan _2 15:04:05", "Mar   3 10:11:12", None, -62_161_825_728_000_000_000),
    ("Jan _2 15:04:05", "Feb 29 10:11:12", None, -62_162_084_928_000_000_000),
    ("Jan  2 15:04:05", "Mar 3  10:11:12", None, -62_161_825_728_000_000_000),
    ("January 2", "MAY 9", None, -62_156_073_600_000_000_000),
    ("January 2", "Sept 9", None, None),
    ("Janet 2", "Janet 9", None, -62_166_528_000_000_000_000),
    (
        "Monday, 2 January 2006",
        "friday, 14 november 2025",
        None,
        1_763_078_400_000_000_000,
    ),
    ("Mon 2 Jan 2006", "Sun 14 Nov 2025", None, 1_763_078_400_000_000_000),
    ("2006 002", "2024 060", None, 1_709_164_800_000_000_000),
    ("2006 002", "2024 366", None, 1_735_603_200_000_000_000),
    ("2006 002", "2025 366", None, None),
    ("2006 __2", "2025  59", None, 1_740_700_800_000_000_000),
    ("2006 __2", "2025 5", None, 1_736_035_200_000_000_000),
    ("2006 01 002", "2025 03 060", None, 1_740_787_200_000_000_000),
    ("2006 01 002", "2025 03 059", None, None),
    ("2006 01 02 002", "2024 02 29 060", None, 1_709_164_800_000_000_000),
    ("3:04PM", "12:00AM", None, -62_167_219_200_000_000_000),
    ("3:04PM", "12:00PM", None, -62_167_176_000_000_000_000),
    ("3:04PM", "1:05PM", None, -62_167_172_100_000_000_000),
    ("3:04pm", "1:05pm", None, -62_167_172_100_000_000_000),
    ("3:04PM", "1:05pm", None, None),
    ("3:04PM", "13:05PM", None, None),
    ("3:04PM", "0:05PM", None, -62_167_175_700_000_000_000),
    ("06-1-2", "69-1-1", None, -31_536_000_000_000_000),
    ("06-1-2", "68-12-31", None, 3_124_137_600_000_000_000),
    ("06-1-2", "+7-1-1", None, 1_167_609_600_000_000_000),
    ("06-1-2", "-5-1-1", None, 788_918_400_000_000_000),
    ("_2006", "_2025", None, 1_735_689_600_000_000_000),
    ("15:04:05.000", "10:11:12.345", None, -62_167_182_527_655_000_000),
    ("15:04:05.000", "10:11:12,345", None, -62_167_182_527_655_000_000),
    ("15:04:05.000", "10:11:12.34", None, None),
    ("15:04:05.000", "10:11:12.3456", None, None),
    ("15:04:05.000", "10:11:12", None, None),
    ("15:04:05.000", "10:11:12.+12", None, -62_167_182_527_988_000_000),
    ("15:04:05.000", "10:11:12.-12", None, None),
    ("15:04:05.999", "10:11:12", None, -62_167_182_528_000_000_000),
    ("15:04:05.999", "10:11:12.123456", None, -62_167_182_527_876_544_000),
    ("15:04:05,000000", "10:11:12.123456", None, -62_167_182_527_876_544_000),
    ("05.0000", "1.5", None, None),
    (
        "2006-01-02 15:04:05 MST",
        "2025-07-14 10:11:12 UTC",
        None,
        1_752_487_872_000_000_000,
    ),
    (
        "2006-01-02 15:04:05 MST",
        "2025-07-14 10:11:12 CEST",
        None,
        1_752_487_872_000_000_000,
    ),
    (
        "2006-01-02 15:04:05 MST",
        "2025-07-14 10:11:12 CEST",
        "Europe/Berlin",
        1_752_480_672_000_000_000,
    ),
    (
        "2006-01-02 15:04:05 MST",
        "2025-07-14 10:11:12 CET",
        "Europe/Berlin",
        1_752_484_272_000_000_000,
    ),
    (
        "2006-01-02 15:04:05 MST",
        "2025-07-14 10:11:12 GMT+3",
        None,
        1_752_487_872_000_000_000,
    ),
    ("2006-01-02 15:04:05 MST", "2025-07-14 10:11:12 GMT+24", None, None),
    (
        "2006-01-02 15:04:05 MST",
        "2025-07-14 10:11:12 +03",
        "Europe/Istanbul",
        1_752_477_072_000_000_000,
    ),
    (
        "2006-01-02 15:04:05 MST",
        "2025-07-14 10:11:12 WITA",
        None,
        1_752_487_872_000_000_000,
    ),
    ("2006-01-02 15:04:05 MST", "2025-07-14 10:11:12 ABCD", None, None),
    (
        "2006-01-02 15:04:05 MST",
        "2025-07-14 10:11:12 ABCDT",
        None,
        1_752_487_872_000_000_000,
    ),
    ("2006-01-02 15:04:05 MST", "2025-07-14 10:11:12 cet", None, None),
    (
        "2006-01-02 15:04:05.999999999 -0700 MST",
        "2025-07-14 10:11:12.5 +0200 CEST",
        None,
        1_752_480_672_500_000_000,
    ),
    (
        "2006-01-02 15:04:05.999999999 -0700 MST",
        "2025-07-14 10:11:12.5 +0200 UTC",
        None,
        1_752_487_872_500_000_000,
    ),
    (
        "2006-01-02 15:04",
        "2025-03-30 02:30",
        "Europe/Berlin",
        1_743_298_200_000_000_000,
    ),
    (
        "2006-01-02 15:04",
        "2025-10-26 02:30",
        "Europe/Berlin",
        1_761_442_200_000_000_000,
    ),
    (
        "2006-01-02 15:04",
        "2025-03-09 02:30",
        "America/New_York",
        1_741_501_800_000_000_000,
    ),
    (
        "2006-01-02 15:04",
        "2025-11-02 01:30",
        "America/New_York",
        1_762_061_400_000_000_000,
    ),
    (
        "2006-01-02 15:04",
        "1880-01-01 00:00",
        "Europe/Berlin",
        -2_840_144_008_000_000_000,
    ),
    (
        "2006-01-02 15:04",
        "0000-01-01 00:00",
        "Europe/Berlin",
        -62_167_222_408_000_000_000,
    ),
    (
        "2006-01-02 15:04",
        "2500-07-01 00:00",
        "Europe/Berlin",
        16_740_856_800_000_000_000,
    ),
    ("2006-01-02 15:04", "1971-06-01 00:00", "Africa/Monrovia", 44_585_070_000_000_000),
    ("é2006", "é2025", None, 1_735_689_600_000_000_000),
    ("é2006", "e2025", None, None),
    ("", "", None, -62_167_219_200_000_000_000),
    ("", "x", None, None),
    ("x  y", "x y", None, -62_167_219_200_000_000_000),
    ("x ", "x", None, -62_167_219_200_000_000_000),
]


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


@pytest.mark.parametrize(("layout", "text", "location", "expected"), CASES)
def test_parses_as_go_does(
    layout: str, text: str, location: str | None, expected: int | None
) -> None:
    reader = Layout(layout, None if location is None else Location.load(location))
    for _ in range(2):  # the second time out of its memory
        if expected is None:
            with pytest.raises(TimeError, match=r"^parsing time ") as error:
                reader.parse(text)
            assert "\n" not in str(error.value)
        else:
            assert reader.parse(text) == expected


def test_an_error_says_what_was_read_and_what_was_expected() -> None:
    with pytest.raises(TimeError) as error:
        Layout("2006-01-02").parse("14\nNov")
    assert str(error.value) == ('parsing time "14\\nNov" as "2006-01-02": cannot parse')
    with pytest.raises(TimeError) as error:
        Layout("2006-01-02").parse("2025-02-29")
    assert str(error.value) == 'parsing time "2025-02-29": day out of range'


def test_abbreviations_are_those_of_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layout, text = "2006-01-02 15:04 MST", "2025-07-14 10:00 CEST"
    assert Layout(layout).parse(text) == 1_752_487_200 * 10**9
    monkeypatch.setenv("TZ", "Europe/Berlin")
    assert Layout(layout).parse(text) == 1_752_480_000 * 10**9


@pytest.mark.parametrize(
    ("layout", "text", "year", "expected"),
    [
        ("Jan _2 15:04:05", "Mar  3 10:11:12", 2025, "2025-03-03T10:11:12Z"),
        ("Jan _2 15:04:05", "Feb 29 10:11:12", 2024, "2024-02-29T10:11:12Z"),
        ("Jan _2 15:04:05", "Feb 29 10:11:12", 2025, "2025-03-01T10:11:12Z"),
        ("Jan _2 15:04:05.000", "Dec 31 23:59:59.999", 1, "0001-12-31T23:59:59.999Z"),
        ("15:04", "10:11", 2025, "2025-01-01T10:11:00Z"),
        ("Jan _2 15:04 -0700", "Jan  1 00:30 +0100", 2025, "2024-12-31T23:30:00Z"),
    ],
)
def test_a_year_from_elsewhere(
    layout: str, text: str, year: int, expected: str
) -> None:
    time = Layout(layout).parse_in_year(text, lambda _: year)
    assert format_time(time, "2006-01-02T15:04:05.999Z07:00") == expected


def test_the_year_may_go_by_the_month() -> None:
    layout = Layout("Jan 2")
    december = layout.parse_in_year("Dec 31", lambda month: 2024 + (month == 1))
    january = layout.parse_in_year("Jan 1", lambda month: 2024 + (month == 1))
    assert january - december == 86_400 * 10**9


IDENTITIES = [
    "2006-01-02T15:04:05.999999999Z07:00",
    "2006-01-02T15:04:05.000000000-07:00:00",
    "Mon, _2 January 2006 03:04:05,000000000 PM -0700",
    "02/Jan/2006:15:04:05.000000000 Z07",
    "2006 __2 3pm 4 5.999999999 Z0700",
    "1-2 002 2006 15-04-05.000000000 -070000",
]
ZONES = ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia"]
SINCE_1980 = st.integers(315_532_800 * 10**9, 253_370_000_000 * 10**9)


@given(time=SINCE_1980, layout=st.sampled_from(IDENTITIES), zone=st.sampled_from(ZONES))
def test_what_is_formatted_is_parsed_again(time: int, layout: str, zone: str) -> None:
    location = UTC if layout.endswith("Z07") else Location.load(zone)
    assert Layout(layout).parse(format_time(time, layout, location)) == time


@given(time=st.integers(-62_100_000_000, 253_370_000_000), zone=st.sampled_from(ZONES))
def test_a_clock_shows_the_time_it_is_read_as(time: int, zone: str) -> None:
    location = Location.load(zone)
    wall = time + location.lookup(time)[1]
    read = location.to_unix(wall)
    assert read + location.lookup(read)[1] == wall


@given(
    layout=st.text("Jan2006MST_15:04.9,Z-7PMpmé /", max_size=20),
    text=st.text(max_size=20) | st.text("0123456789:.,-+ ZUTCPMé\udcff", max_size=24),
)
def test_nothing_is_raised_but_a_time_error(layout: str, text: str) -> None:
    with suppress(TimeError):
        Layout(layout).parse(text)


@given(days=st.integers(-4_000_000, 4_000_000))
def test_days_and_dates_are_the_same(days: int) -> None:
    assert days_since_epoch(*civil(days)) == days


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ("Mon Jan _2 15:04:05 MST 2006", "Fri Nov  7 09:05:03 CET 2025"),
        ("Monday 02-Jan-06 03:04:05pm", "Friday 07-Nov-25 09:05:03am"),
        ("05.000 05,999 05.999999 .999", "03.120 03,12 03.12 .12"),
        ("-07 -0700 -07:00 Z07:00:00", "+01 +0100 +01:00 +01:00:00"),
        ("002 __2 1/2 3:4:5 PM", "311 311 11/7 9:5:3 AM"),
        ("Janet _2006", "Janet _2025"),
    ],
)
def test_formats_as_go_does(layout: str, expected: str) -> None:
    berlin = Location.load("Europe/Berlin")
    assert format_time(1_762_502_703_120_000_000, layout, berlin) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Mars/Olympus", "unknown time zone Mars/Olympus"),
        ("Europe", "unknown time zone Europe"),
        ("tzdata.zi", "unknown time zone tzdata.zi"),
        ("a\0b", 'unknown time zone "a\\x00b"'),
        ("../etc/passwd", "time: invalid location name"),
        ("/etc/localtime", "time: invalid location name"),
    ],
)
def test_a_location_that_is_none(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as error:
        Location.load(name)
    assert str(error.value) == text


@given(st.binary(max_size=120))
def test_a_zone_file_that_is_none(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"time zone|TZif|magic"):
        Location.decode("x", b"TZif2" + data)


@pytest.mark.parametrize(
    ("environ", "name", "winter"),
    [
        ({"TZ": ""}, "UTC", 0),
        ({"TZ": "Europe/Berlin"}, "Europe/Berlin", 3600),
        ({"TZ": ":Europe/Berlin"}, "Europe/Berlin", 3600),
        ({"TZ": "/usr/share/zoneinfo/Europe/Berlin"}, "Local", 3600),
        ({"TZ": "Mars/Olympus"}, "UTC", 0),
        ({"TZ": "Local"}, "UTC", 0),
    ],
)
def test_the_zone_of_the_machine(
    environ: dict[str, str], name: str, winter: int
) -> None:
    found = local(environ)
    assert (found.name, found.lookup(1_763_000_000)[1]) == (name, winter)


def test_without_a_database_the_package_is_asked(tmp_path: Path) -> None:
    zone = Path("/usr/share/zoneinfo/Asia/Kolkata")
    if not zone.exists():
        pytest.skip("no zone to copy")
    for folder in (tmp_path / "tzdata", tmp_path / "tzdata/zoneinfo/Asia"):
        folder.mkdir(parents=True)
    (tmp_path / "tzdata/__init__.py").touch()
    (tmp_path / "tzdata/zoneinfo/Asia/Kolkata").write_bytes(zone.read_bytes())
    code = (
        "import json\nfrom shipper.gotime import Location\n"
        "print(json.dumps(Location.load('Asia/Kolkata').lookup(0)))"
    )
    environ = {"PYTHONPATH": f"{tmp_path}:.", "PYTHONTZPATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, check=True
    )
    assert json.loads(done.stdout) == ["IST", 19_800]


_LAYOUTS = (
    "2006-01-02T15:04:05.999999999Z07:00",
    "2006-01-02T15:04:05Z07:00",
    "2006-01-02T15:04:05.000Z07:00",
    "2006-01-02 15:04:05,000",
    "02/Jan/2006:15:04:05 -0700",
    "05.000000 2006",
    "05.00.00",
)
_TEXTS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(
        [
            "2026-01-02T03:04:05",
            "2026-01-02T03:04:06",
            "2026-01-02 03:04:05",
            "05",
            "02/Jan/2026:03:04:05",
        ]
    ),
    st.sampled_from(("", ".", ",", "x", ".1", ".12", ",123", ".+12", ".-00", ".²"))
    | st.integers(0, 10**12).map(".{}".format)
    | st.integers(100, 999).map(".{}".format),
    st.sampled_from(("", "Z", "+01:00", " +0100", " 2026", "1")),
    st.sampled_from(("", "", "", " ", "é")),
)


@given(st.sampled_from(_LAYOUTS), st.lists(_TEXTS, min_size=2))
def test_what_was_read_before_changes_nothing(layout: str, texts: list[str]) -> None:
    used = Layout(layout)
    for text in texts:
        assert _read(used, text) == _read(Layout(layout), text)


def test_the_times_that_are_remembered_are_few() -> None:
    layout = Layout("2006-01-02T15:04:05.999999999Z07:00")
    for minute in range(60):
        for second in range(60):
            layout.parse(f"2026-01-02T03:{minute:02}:{second:02}.5Z")
    assert len(layout.known._times) <= MAX_TIMES


def _read(layout: Layout, text: str) -> int | None:
    try:
        return layout.parse(text)
    except TimeError:
        return None
