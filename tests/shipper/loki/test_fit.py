"""Lines, labels and metadata within limits; what is within them is not touched."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, strategies as st

from shipper.loki.batch import Batch, Builder
from shipper.loki.body import Stream
from shipper.loki.cut import cut_with_marker
from shipper.loki.fit import Action, Bounds, Fitted, Note, fit
from shipper.loki.ledger import Account, Ticket
from shipper.loki.loki_limits import LokiLimits
from shipper.loki.resend import compare
from shipper.loki.shape import KEPT_FIRST, Shape, metadata_bytes, shape
from shipper.pipeline.entry import Entry, Labels, Metadata

from .conftest import Journal


NOW = 10**18
DEFAULTS = LokiLimits(
    max_age_ns=100,
    ahead_ns=10,
    line_bytes=262_144,
    label_names=15,
    label_name_bytes=1024,
    label_value_bytes=2048,
    metadata_allowed=True,
    metadata_bytes=65_536,
    metadata_pairs=128,
)
WEB = Stream.of((("container_name", "web"), ("stream", "stdout")))
MANY: Labels = tuple((f"l{n:02}", f"v{n}") for n in range(20))
PAIR = (("trace_id", "1"),)


def bounds(limits: LokiLimits = DEFAULTS) -> Bounds:
    return Bounds(limits, NOW - 100, NOW + 10)


def batch(*entries: Entry) -> Batch:
    """Return what the lane would make of *entries*."""
    builder = Builder(size_bytes=1 << 40, wait_seconds=1)
    account = Account(Journal(), staged_bytes=None)
    tickets = [Ticket((((), (entry,)),), account, 1) for entry in entries]
    pairs = zip(tickets, entries, strict=True)
    closed = [done for pair in pairs if (done := builder.add(*pair, 0))]
    return Batch(tickets, entries) if closed else builder.take()


def fitted(
    *entries: Entry, stream: Stream = WEB, limits: LokiLimits = DEFAULTS
) -> Fitted:
    return fit(stream, batch(*entries), bounds(limits))


@pytest.mark.parametrize(
    ("entry", "sent", "note"),
    [
        (Entry(NOW, b"x" * 262_144), Entry(NOW, b"x" * 262_144), None),
        (
            Entry(NOW, b"x" * 262_145),
            Entry(NOW, cut_with_marker(b"x" * 262_145, 262_144)),
            ("line_too_long", Action.CUT),
        ),
        (Entry(NOW - 100, b"x"), Entry(NOW - 100, b"x"), None),
        (Entry(NOW + 10, b"x"), Entry(NOW + 10, b"x"), None),
        (
            Entry(NOW - 101, b"x"),
            None,
            ("greater_than_max_sample_age", Action.DROPPED),
        ),
        (Entry(NOW + 11, b"x"), None, ("too_far_in_future", Action.DROPPED)),
        (
            Entry(NOW - 101, b"x" * 300_000, PAIR * 200),
            None,
            ("greater_than_max_sample_age", Action.DROPPED),
        ),
        (Entry(NOW, b"x", PAIR * 128), Entry(NOW, b"x", PAIR * 128), None),
        (
            Entry(NOW, b"x", PAIR * 129),
            Entry(NOW, b"x"),
            ("structured_metadata_too_many", Action.LEFT_OFF),
        ),
        (
            Entry(NOW, b"x", (("k", "v" * 65_535),)),
            Entry(NOW, b"x", (("k", "v" * 65_535),)),
            None,
        ),
        (
            Entry(NOW, b"x", (("k", "v" * 65_536),)),
            Entry(NOW, b"x"),
            ("structured_metadata_too_large", Action.LEFT_OFF),
        ),
        (  # a byte that is no UTF-8 is three there
            Entry(NOW, b"x", (("k", "\udcff" * 21_846),)),
            Entry(NOW, b"x"),
            ("structured_metadata_too_large", Action.LEFT_OFF),
        ),
    ],
)  # fmt: skip
def test_one_entry_at_the_border(
    entry: Entry, sent: Entry | None, note: Note | None
) -> None:
    beside = Entry(NOW, b"beside", PAIR)
    found = fitted(beside, entry, beside)
    kept = [beside, beside] if sent is None else [beside, sent, beside]
    assert found.entries == kept
    assert list(found.batch.entries) == [
        beside, *([] if sent is None else [entry]), beside
    ]  # fmt: skip
    if note and note[1] is Action.DROPPED:
        ((_, gone, reason),) = found.dropped
        assert (gone, reason) == (entry, note[0])
        assert not found.notes()
    else:
        assert not found.dropped
        assert found.notes() == Counter([note] if note else [])


def test_what_is_not_known_is_no_limit() -> None:
    odd = [Entry(0, b"x" * 10**6), Entry(2 * NOW, b"", PAIR * 200)]
    found = fit(Stream.of(MANY), batch(*odd), Bounds())
    assert (found.stream.labels, found.entries) == (MANY, odd)
    assert not found.notes()
    assert not found.dropped


def test_metadata_that_loki_does_not_allow_is_left_off() -> None:
    limits = LokiLimits(metadata_allowed=False)
    found = fitted(Entry(NOW, b"a", PAIR), Entry(NOW, b"b"), limits=limits)
    assert found.entries == [Entry(NOW, b"a"), Entry(NOW, b"b")]
    assert found.notes() == {("disallowed_structured_metadata", Action.LEFT_OFF): 1}


def test_labels_too_many_become_metadata_of_each_line() -> None:
    found = fitted(Entry(NOW, b"a"), Entry(NOW, b"b", PAIR), stream=Stream.of(MANY))
    assert found.stream == Stream.of(MANY[:15])
    assert found.entries == [
        Entry(NOW, b"a", MANY[15:]),
        Entry(NOW, b"b", PAIR + MANY[15:]),
    ]
    assert found.notes() == {("max_label_names_per_series", Action.MOVED): 2}
    assert found.notes(but={0}) == {("max_label_names_per_series", Action.MOVED): 1}


@pytest.mark.parametrize(
    "limits",
    [
        LokiLimits(label_names=15, metadata_allowed=False),
        LokiLimits(label_names=15, metadata_pairs=4),
        LokiLimits(label_names=15, metadata_bytes=20),
    ],
)
def test_labels_too_many_are_left_off_where_metadata_cannot_take_them(
    limits: LokiLimits,
) -> None:
    found = fitted(Entry(NOW, b"a"), stream=Stream.of(MANY), limits=limits)
    assert found.stream == Stream.of(MANY[:15])
    assert found.entries == [Entry(NOW, b"a")]
    assert found.notes() == {("max_label_names_per_series", Action.LEFT_OFF): 1}


def test_the_lines_own_metadata_goes_before_surplus_labels() -> None:
    limits = LokiLimits(label_names=15, metadata_pairs=5)
    found = fitted(Entry(NOW, b"a", PAIR), stream=Stream.of(MANY), limits=limits)
    assert found.entries == [Entry(NOW, b"a", PAIR)]
    assert found.notes() == {("max_label_names_per_series", Action.LEFT_OFF): 1}


def test_cut_of_one_push_is_not_the_limit_of_loki() -> None:
    one = batch(Entry(NOW, b"x" * 1000))
    found = fit(WEB, one, bounds(), longest_bytes=500)
    assert found.entries[0].line == cut_with_marker(b"x" * 1000, 500)
    assert found.notes() == {("too_large", Action.CUT): 1}


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize(
    ("line", "cut"),
    [(b"\xff" * 400, True), (b"\xff" * 333, False), (b"x" * 1000, False)],
)
def test_a_line_that_grows_as_json_is_cut_by_what_it_becomes(
    line: bytes, *, cut: bool, text: bool
) -> None:
    limits = LokiLimits(line_bytes=1000)
    found = fit(WEB, batch(Entry(NOW, line)), Bounds(limits), text=text)
    (sent,) = found.entries
    if cut and text:
        marker = "…[cut by shipper: 400 bytes]".encode()
        whole = "\ufffd".encode() * ((1000 - len(marker)) // 3)
        assert sent.line == whole + marker
    else:
        assert sent.line == line


# -- labels


LONG = ("long", "v" * 2049)
NAME = ("n" * 1025, "v")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ((("a", "b"),), Shape((("a", "b"),))),
        (MANY[:15], Shape(MANY[:15])),
        (
            (*MANY[:15], ("service_name", "x")),  # is not counted
            Shape((*MANY[:15], ("service_name", "x"))),
        ),
        (
            MANY[:16],
            Shape(MANY[:15], MANY[15:16], ("max_label_names_per_series",)),
        ),
        (
            (*MANY, ("pod", "p"), ("service_name", "x"), ("stream", "s")),
            Shape(
                (*MANY[:13], ("pod", "p"), ("service_name", "x"), ("stream", "s")),
                MANY[13:],
                ("max_label_names_per_series",),
            ),
        ),
        (
            (("a", "b"), LONG),
            Shape((("a", "b"),), (LONG,), ("label_value_too_long",)),
        ),
        ((("a", "v" * 2048),), Shape((("a", "v" * 2048),))),
        ((("a", "ü" * 1024),), Shape((("a", "ü" * 1024),))),
        (
            (("a", "ü" * 1025),),
            Shape((), (("a", "ü" * 1025),), ("label_value_too_long",)),
        ),
        (
            (("a", "b"), NAME),
            Shape((("a", "b"),), (NAME,), ("label_name_too_long",)),
        ),
        (  # what is moved for its size is no longer one too many
            (*MANY[:15], LONG),
            Shape(MANY[:15], (LONG,), ("label_value_too_long",)),
        ),
    ],
)
def test_labels(labels: Labels, expected: Shape) -> None:
    assert shape(labels, DEFAULTS) == expected


def test_the_labels_people_look_for_stay() -> None:
    labels = tuple(sorted((name, "x") for name in (*KEPT_FIRST, "app", "zone")))
    kept = shape(labels, LokiLimits(label_names=len(KEPT_FIRST) - 1)).labels
    assert {name for name, _ in kept} == set(KEPT_FIRST)
    kept = shape(labels, LokiLimits(label_names=2)).labels
    assert [name for name, _ in kept] == ["container_name", "job", "service_name"]


TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
LIMIT = st.none() | st.integers(1, 60)


@given(
    st.lists(
        st.builds(
            Entry,
            st.integers(NOW - 120, NOW + 30),
            TEXT.map(str.encode),
            st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple),
        ),
        min_size=1,
        max_size=8,
    ),
    st.dictionaries(st.from_regex("[a-z]{1,30}", fullmatch=True), TEXT, max_size=6),
    st.builds(
        LokiLimits,
        line_bytes=LIMIT,
        label_names=LIMIT,
        label_name_bytes=LIMIT,
        label_value_bytes=LIMIT,
        metadata_allowed=st.sampled_from([None, True, False]),
        metadata_bytes=LIMIT,
        metadata_pairs=LIMIT,
    ),
)
def test_nothing_is_over_a_limit_and_no_line_disappears(
    entries: list[Entry], labels: dict[str, str], limits: LokiLimits
) -> None:
    stream = Stream.of(tuple(sorted(labels.items())))
    found = fitted(*entries, stream=stream, limits=limits)
    none = 1 << 62
    for _, line, metadata in found.entries:
        assert len(line) <= (limits.line_bytes or none)
        assert len(metadata) <= (limits.metadata_pairs or none)
        assert metadata_bytes(metadata) <= (limits.metadata_bytes or none)
        assert not metadata or limits.metadata_allowed is not False
    kept = dict(found.stream.labels)
    assert len(kept) - ("service_name" in kept) <= (limits.label_names or none)
    for name, value in kept.items():
        assert len(name) <= (limits.label_name_bytes or none)
        assert len(value.encode()) <= (limits.label_value_bytes or none)
    times = [NOW - 100 <= entry.timestamp_ns <= NOW + 10 for entry in entries]
    assert len(found.entries) == sum(times)
    assert len(found.dropped) == len(times) - sum(times)
    assert found.stream.labels == tuple(sorted(found.stream.labels))


# -- what goes again once a limit is known


def plan(
    dropped: dict[str, int], sent: list[Entry], limits: LokiLimits, labels: Labels
) -> tuple[set[int], dict[str, int]]:
    whole, stream = batch(*sent), Stream.of(labels)
    before = fit(stream, whole, Bounds())
    found = compare(dropped, before, fit(stream, whole, bounds(limits)))
    return set(found.again), dict(found.dropped)


LABELS = WEB.labels
OLD = Entry(0, b"old")
OK = Entry(NOW, b"ok")
BIG = Entry(NOW, b"x" * 90)
META = Entry(NOW, b"m", PAIR)


@pytest.mark.parametrize(
    ("dropped", "sent", "labels", "again", "left"),
    [
        ({"line_too_long": 1}, [OK, BIG, OK], LABELS, {1}, {}),
        ({"line_too_long": 2}, [BIG, BIG, OK], LABELS, {0, 1}, {}),
        (
            {"line_too_long": 1, "greater_than_max_sample_age": 1},
            [OLD, BIG, OK],
            LABELS,
            {1},
            {"greater_than_max_sample_age": 1},
        ),
        (
            {"greater_than_max_sample_age": 1},
            [OLD, OK],
            LABELS,
            set(),
            {"greater_than_max_sample_age": 1},
        ),
        ({"disallowed_structured_metadata": 1}, [META, OK], LABELS, {0}, {}),
        ({"max_label_names_per_series": 3}, [OLD, BIG, OK], MANY, {0, 1, 2}, {}),
        ({"too_far_behind": 2}, [OK, OK], LABELS, set(), {"too_far_behind": 2}),
    ],
)
def test_what_goes_again(
    dropped: dict[str, int],
    sent: list[Entry],
    labels: Labels,
    again: set[int],
    left: dict[str, int],
) -> None:
    limits = LokiLimits(line_bytes=64, label_names=15, metadata_allowed=False)
    assert plan(dropped, sent, limits, labels) == (again, left)


def test_metadata_types() -> None:
    pairs: Metadata = (("größe", "1"), ("k", "\udcff"))
    assert metadata_bytes(pairs) == 7 + 1 + 1 + 3
