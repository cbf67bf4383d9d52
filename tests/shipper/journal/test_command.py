from __future__ import annotations

import pytest

from shipper.journal.command import Start, commands, cursor_time_us, start_from


NOW_US = 1_764_200_000_000_000
HOUR_US = 3600 * 1_000_000


def cursor(time_us: int) -> str:
    return f"s=bff3;i=1;b=6c7c;m=0;t={time_us:x};x=a8ed"


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (None, ""),
        ("", ""),
        ("1700000000", ""),  # promtail's Docker targets use such keys too
        ("junk;t=1", ""),
        ("s=a;i=1", ""),
        ("--output=cat", ""),
        (cursor(NOW_US - 6 * HOUR_US), cursor(NOW_US - 6 * HOUR_US)),
        (cursor(NOW_US - 8 * HOUR_US), ""),
        (cursor(NOW_US + HOUR_US), cursor(NOW_US + HOUR_US)),
    ],
)
def test_a_cursor_counts_unless_it_is_too_old(kept: str | None, expected: str) -> None:
    start = start_from(kept, 7 * 3600.0, NOW_US)
    assert start == Start(expected, NOW_US - 7 * HOUR_US)


def test_the_time_in_a_cursor() -> None:
    assert cursor_time_us("s=bff3;i=2;b=6c;m=0;t=6447089e86a41;x=3d") == (
        1764100001000001
    )
    assert cursor_time_us("t=1") == 1


ALWAYS = "journalctl --output=export --quiet --no-pager --no-tail"


def test_this_machines_journal_is_read_and_then_followed() -> None:
    got = commands(Start("t=1"), matches=["_SYSTEMD_UNIT=a.service", "PRIORITY=3"])
    rest = "--cursor=t=1 -- _SYSTEMD_UNIT=a.service PRIORITY=3"
    assert [" ".join(command) for command in got] == [
        f"{ALWAYS} {rest}",
        f"{ALWAYS} --follow {rest}",
    ]


def test_a_directory_is_followed_at_once() -> None:
    (got,) = commands(Start(since_us=1_500_000), path="/var/log/journal")
    expected = "--follow --directory=/var/log/journal --merge --since=@1.500000 --"
    assert " ".join(got) == f"{ALWAYS} {expected}"
