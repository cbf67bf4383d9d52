"""Every answer of shared/reference/promtail.md §3, with the bodies seen there."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from shipper.loki.outcome import TRANSPORT, Answer, Verdict, judge
from shipper.loki.refusals import Kind, parse_refusal


STREAM = '{container_name="web", stream="stdout"}'
TOO_OLD = (
    f"entry for stream '{STREAM}' has timestamp too old: 2026-11-01T00:00:00Z, "
    "oldest acceptable timestamp is: 2026-11-15T15:00:00Z"
)
TOO_NEW = f"entry for stream '{STREAM}' has timestamp too new: 2026-11-23T00:00:00Z"
TOO_LONG = (
    f"Max entry size '262144' bytes exceeded for stream '{STREAM}' while adding an "
    "entry with length '300000' bytes"
)
BEHIND = (
    "entry with timestamp 2026-11-22 13:00:00 +0000 UTC ignored, reason: 'entry too "
    "far behind, entry timestamp is: 2026-11-22T13:00:00Z, oldest acceptable timestamp "
    "is: 2026-11-22T14:00:00Z',\nuser 'fake', total ignored: 1 out of 2 for stream: "
    + STREAM
)
OUT_OF_ORDER = (
    "entry with timestamp 2026-11-22 13:00:00 +0000 UTC ignored, reason: 'entry out of "
    f"order',\nuser 'fake', total ignored: 2 out of 10 for stream: {STREAM}"
)
METADATA = (
    f"stream '{STREAM}' has structured metadata too large: '70000' bytes, limit: "
    "'65536' bytes. Please see `limits_config.max_structured_metadata_size` or contact "
    "your Loki administrator to increase it."
)
LABELS = (
    "couldn't parse labels: 1:3: parse error: unexpected character inside braces: '.'"
)


@pytest.mark.parametrize(
    ("body", "kind", "dropped"),
    [
        (TOO_OLD, Kind.PARTLY, {"greater_than_max_sample_age": 1}),
        (TOO_NEW, Kind.PARTLY, {"too_far_in_future": 1}),
        (TOO_LONG, Kind.PARTLY, {"line_too_long": 1}),
        (TOO_LONG.replace("Max", "max"), Kind.PARTLY, {"line_too_long": 1}),  # Loki 3.7
        (BEHIND, Kind.PARTLY, {"too_far_behind": 1}),
        (
            BEHIND.replace("1 out of 2", "7 out of 9"),
            Kind.PARTLY,
            {"too_far_behind": 7},
        ),
        (
            OUT_OF_ORDER,
            Kind.PARTLY,
            {"out_of_order": 2},
        ),
        (
            f"2 errors like: {TOO_OLD}; 3 errors like: {TOO_NEW}",
            Kind.PARTLY,
            {"greater_than_max_sample_age": 2, "too_far_in_future": 3},
        ),
        (
            f"1 errors like: {TOO_OLD}; 1 errors like: {TOO_OLD.replace('01T', '02T')}",
            Kind.PARTLY,
            {"greater_than_max_sample_age": 2},
        ),
        (f"999 errors like: {TOO_LONG}", Kind.PARTLY, {"line_too_long": 10}),
        (METADATA, Kind.PARTLY, {"structured_metadata_too_large": 1}),
        (LABELS, Kind.WHOLE, {"invalid_labels": 10}),
        (
            f"entry for stream '{STREAM}' has 16 label names; limit 15",
            Kind.WHOLE,
            {"max_label_names_per_series": 10},
        ),
        (
            f"stream '{STREAM}' has label value too long: 'xxx'",
            Kind.WHOLE,
            {"label_value_too_long": 10},
        ),
        (
            f"stream '{STREAM}' has label name too long: 'xxx'",
            Kind.WHOLE,
            {"label_name_too_long": 10},
        ),
        (
            f"stream '{STREAM}' has duplicate label name: 'a'",
            Kind.WHOLE,
            {"duplicate_label_names": 10},
        ),
        (
            "error at least one label pair is required per stream",
            Kind.WHOLE,
            {"missing_labels": 10},
        ),
        (
            "missing required labels env,team for user fake",
            Kind.WHOLE,
            {"missing_enforced_labels": 10},
        ),
        ("snappy: corrupt input", Kind.UNKNOWN, {}),
        ("unexpected EOF", Kind.UNKNOWN, {}),
        ("proto: wrong wireType = 0 for field Line", Kind.UNKNOWN, {}),
        ("", Kind.UNKNOWN, {}),
        (f"1 errors like: {TOO_OLD}; 1 errors like: new in Loki 9", Kind.UNKNOWN, {}),
        ("<html><head><title>400 Bad Request</title></head>", Kind.SETUP, {}),
        ("no org id", Kind.SETUP, {}),
        (
            "tenant ID 'a/b' contains unsupported character '/'",
            Kind.TENANT,
            {"invalid_tenant": 10},
        ),
        ('Content-Encoding "zstd" not supported', Kind.SETUP, {}),
    ],
)
def test_bodies_of_a_400(body: str, kind: Kind, dropped: dict[str, int]) -> None:
    refusal = parse_refusal(body + "\n", 10)
    assert (refusal.kind, refusal.dropped) == (kind, dropped)


@given(st.text(), st.integers(1, 50))
def test_any_body_is_understood_somehow(body: str, entries: int) -> None:
    refusal = parse_refusal(body, entries)
    assert sum(refusal.dropped.values()) <= entries


@given(st.lists(st.sampled_from([TOO_OLD, TOO_NEW, TOO_LONG]), min_size=1, max_size=20))
def test_grouped_errors_as_loki_writes_them(errors: list[str]) -> None:
    """Write them the way GroupedErrors.Error() does, in the same random order."""
    groups = {error: errors.count(error) for error in errors}
    many = len(groups) > 1 or len(errors) > 1
    body = "; ".join(f"{n} errors like: {e}" if many else e for e, n in groups.items())
    refusal = parse_refusal(body, len(errors) + 5)
    assert refusal.kind is Kind.PARTLY
    assert sum(refusal.dropped.values()) == len(errors)


TOO_LARGE = (
    "rpc error: code = ResourceExhausted desc = grpc: received message larger than "
    "max (5858534 vs. 4194304)"
)


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (204, "", Verdict.STORED),
        (200, "", Verdict.HOLD),
        (202, "", Verdict.HOLD),
        (260, "ingestion blocked for user fake until '…'", Verdict.HOLD),
        (301, "", Verdict.HOLD),
        (400, TOO_OLD, Verdict.REFUSED),
        (400, LABELS, Verdict.REFUSED),
        (400, "snappy: corrupt input", Verdict.SPLIT),
        (400, "<html>", Verdict.HOLD),
        (401, "no org id", Verdict.HOLD),
        (403, "", Verdict.HOLD),
        (404, "404 page not found", Verdict.HOLD),
        (405, "", Verdict.HOLD),
        (408, "", Verdict.RETRY),
        (413, "<html>Request Entity Too Large</html>", Verdict.SPLIT),
        (422, "error at least one valid stream is required", Verdict.HOLD),
        (429, "Ingestion rate limit exceeded for user fake", Verdict.LIMITED),
        (429, "Maximum active stream limit exceeded", Verdict.LIMITED),
        (500, TOO_LARGE, Verdict.SPLIT),
        (500, "at least 1 live replicas required", Verdict.RETRY),
        (502, "", Verdict.RETRY),
        (503, "Service Unavailable", Verdict.RETRY),
        (504, "", Verdict.RETRY),
        (TRANSPORT, "Connection refused", Verdict.RETRY),
    ],
)
def test_verdicts(status: int, body: str, verdict: Verdict) -> None:
    assert judge(Answer(status, body), 10).verdict is verdict


def test_the_reason_is_one_short_line() -> None:
    reason = judge(Answer(503, "a\nb" + "c" * 1000), 1).reason
    assert reason == "HTTP 503: a"
    assert len(judge(Answer(503, "c" * 1000), 1).reason) < 330


TENANTS = [
    "tenant ID 'a/b' contains unsupported character '/'",
    "tenant ID is too long: max 150 characters",
    "tenant ID is '.' or '..'",
    "multiple org IDs present",
]


@pytest.mark.parametrize("body", TENANTS)
def test_a_tenant_that_cannot_be_is_held_only_if_it_is_ours(body: str) -> None:
    answer = Answer(400, body + "\n")
    assert judge(answer, 7).verdict is Verdict.HOLD
    outcome = judge(answer, 7, own_tenant=False)
    assert (outcome.verdict, outcome.dropped) == (
        Verdict.REFUSED,
        {"invalid_tenant": 7},
    )
