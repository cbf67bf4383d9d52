from __future__ import annotations

import pytest

from exporters.toolkit.decode import DecodeError, decode
from shipper.config.journal import JournalConfig


def test_everything() -> None:
    text = b"""
max_age: 12h
json: true
labels: {job: journal}
path: /var/log/journal
matches: _SYSTEMD_UNIT=a.service PRIORITY=3
"""
    assert decode(text, JournalConfig, "c.yaml") == JournalConfig(
        max_age=12 * 3600.0,
        json=True,
        labels={"job": "journal"},
        path="/var/log/journal",
        matches="_SYSTEMD_UNIT=a.service PRIORITY=3",
    )


@pytest.mark.parametrize("text", [b"", b"{}", b"max_age:", b'max_age: ""'])
def test_seven_hours_are_the_default(text: bytes) -> None:
    assert decode(text, JournalConfig, "c.yaml").max_age == 7 * 3600.0


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("max_age: 7", "c.yaml:1:10: "),
        ("max_age: soon", "c.yaml:1:10: "),
        ("max_age: -1h", "c.yaml:1:10: max_age must not be negative"),
        ("matches: a", 'c.yaml:1:10: matches: expected FIELD=value, got "a"'),
        ("matches: A=b + C=d", 'c.yaml:1:10: matches: expected FIELD=value, got "+"'),
        ("matches: A=b=c", "expected FIELD=value"),
        ("matches: a=b", "expected FIELD=value"),
        ("matches: --output=cat", "expected FIELD=value"),
        ("labels: {a-b: c}", '"a-b" is not a valid label name'),
        ('path: "/a\\0b"', "expected no NUL"),
        ("maxage: 7h", "did you mean max_age?"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, error: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(text.encode(), JournalConfig, "c.yaml")
    (message,) = caught.value.errors
    assert error in message
