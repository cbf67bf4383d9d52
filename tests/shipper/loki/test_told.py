"""The limits in Loki's refusals, and what only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from shipper.loki.loki_limits import UNKNOWN, LokiLimits
from shipper.loki.told import told
from shipper.pipeline.entry import Entry, Labels

from .test_outcome import METADATA, STREAM, TOO_LONG, TOO_NEW, TOO_OLD


SECOND = 10**9
OLDEST = 1_794_754_800 * SECOND  # 2026-11-15T15:00:00Z, as in TOO_OLD
NOW = OLDEST + 7 * 86_400 * SECOND
LABELS: Labels = (("container_name", "web"), ("stream", "stdout"))
MANY: Labels = tuple((f"l{n:02}", "v") for n in range(16))
SENT = [
    Entry(NOW, b"x" * 300_000),
    Entry(OLDEST - SECOND, b"old"),
    Entry(NOW, b"m", tuple((f"k{n}", "v" * 600) for n in range(129))),
]
NAMES = f"entry for stream '{STREAM}' has 16 label names; limit 15"
PAIRS = (
    f"stream '{STREAM}' has too many structured metadata labels: '129', limit: '128'. "
    "Please see `limits_config.max_structured_metadata_entries_count` or contact your "
    "Loki administrator to increase it."
)
DISALLOWED = (
    f"stream '{STREAM}' includes structured metadata, but this feature is disallowed. "
    "Please see `limits_config.allow_structured_metadata` or contact your Loki "
    "administrator to enable it."
)
VALUE = f"stream '{STREAM}' has label value too long: 'vvv'"
GROUPED = (
    f"2 errors like: {TOO_LONG}; 1 errors like: {TOO_OLD}; 3 errors like: {METADATA}"
)
NAME = f"stream '{STREAM}' has label name too long: 'nnn'"


@pytest.mark.parametrize(
    ("body", "labels", "limits"),
    [
        (TOO_LONG, LABELS, LokiLimits(line_bytes=262_144)),
        (TOO_LONG.replace("Max", "max"), LABELS, LokiLimits(line_bytes=262_144)),
        (TOO_OLD, LABELS, LokiLimits(max_age_ns=7 * 86_400 * SECOND)),
        (TOO_NEW, LABELS, UNKNOWN),  # how far is allowed it does not say
        (NAMES, MANY, LokiLimits(label_names=15)),
        (METADATA, LABELS, LokiLimits(metadata_bytes=65_536)),
        (PAIRS, LABELS, LokiLimits(metadata_pairs=128)),
        (DISALLOWED, LABELS, LokiLimits(metadata_allowed=False)),
        (VALUE, (("a", "v" * 2049),), LokiLimits(label_value_bytes=2048)),
        (VALUE, (("a", "v" * 2048),), LokiLimits(label_value_bytes=1024)),
        (NAME, (("n" * 1500, "v"),), LokiLimits(label_name_bytes=1024)),
        (NAME, (("n" * 40, "v"),), LokiLimits(label_name_bytes=20)),
        (
            GROUPED,
            LABELS,
            LokiLimits(
                line_bytes=262_144,
                max_age_ns=7 * 86_400 * SECOND,
                metadata_bytes=65_536,
            ),
        ),
        # nothing that was sent is over it: somebody's label, or somebody else's limit
        (TOO_LONG.replace("262144", "300000"), LABELS, UNKNOWN),
        (TOO_LONG.replace("262144", "0"), LABELS, UNKNOWN),
        (NAMES, MANY[:15], UNKNOWN),
        (NAMES, (*MANY[:15], ("service_name", "x")), UNKNOWN),
        (TOO_OLD.replace("2026-11-15", "2026-10-01"), LABELS, UNKNOWN),
        (TOO_OLD.replace("2026-11-15T15", "2027-11-15T15"), LABELS, UNKNOWN),
        (TOO_OLD.replace("2026-11-15", "yesterday"), LABELS, UNKNOWN),
        # in the middle of a label
        (f"stream '{{a=\"{TOO_LONG}\"}}' is odd", LABELS, UNKNOWN),
        (f"stream '{{a=\"{NAMES}\"}}' is odd", MANY, UNKNOWN),
        ("odd", LABELS, UNKNOWN),
        ("", LABELS, UNKNOWN),
    ],
)
def test_limits_in_refusals(body: str, labels: Labels, limits: LokiLimits) -> None:
    assert told(body + "\n", labels, SENT, NOW) == limits


@given(st.text(), st.integers(0, 1 << 63))
def test_any_body_is_understood_somehow(body: str, now: int) -> None:
    told(body, LABELS, SENT, now)


@given(st.text(alphabet="Max entry size'0123456789bytes exceeded for stream "))
def test_a_limit_is_never_above_what_was_sent(body: str) -> None:
    limit = told(body, LABELS, SENT, NOW).line_bytes
    assert limit is None or 0 < limit < 300_000
