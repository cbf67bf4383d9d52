from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, strategies as st

from shipper.loki.batch import DECODED_LIMIT_BYTES, Batch, Builder, Peak
from shipper.loki.encode import encode_request
from shipper.loki.ledger import Ledger, Limits, Ticket
from shipper.pipeline.entry import Entry


class Nobody:
    def acknowledge(self, entries: Sequence[Entry]) -> None:
        raise AssertionError("nothing was decided")


def test_metadata_counts_as_the_line_does() -> None:
    builder, ledger = Builder(size_bytes=100, wait_seconds=1), Ledger(1, Limits())
    some = Entry(1, b"x" * 40, (("k" * 5, "ü" * 5),))
    first, second = enter(ledger, some), enter(ledger, some)
    assert some.size_bytes == 55
    assert builder.add(first, some, 0.0) is None
    closed = builder.add(second, some, 0.0)
    assert closed == Batch([first], [some], Peak(40, 15, 1))


@given(st.lists(st.integers(0, 9), max_size=80))
def test_metadata_does_not_make_a_giant_message(pairs: list[int]) -> None:
    builder, ledger = Builder(size_bytes=1 << 30, wait_seconds=1), Ledger(1, Limits())
    entries = [Entry(1, b"", (("k" * 99, "v" * 30_000),) * count) for count in pairs]
    ticket = enter(ledger, Entry(1, b""))
    batches = [b for entry in entries if (b := builder.add(ticket, entry, 0.0))]
    for batch in [*batches, builder.take()]:
        decoded = len(encode_request("", batch.entries))
        assert decoded <= DECODED_LIMIT_BYTES + 16


def enter(ledger: Ledger, *entries: Entry) -> Ticket:
    return ledger.enter((((), entries),), Nobody())


def lines(*sizes: int) -> list[Entry]:
    return [Entry(n, b"x" * size) for n, size in enumerate(sizes)]


def add(builder: Builder, entries: Sequence[Entry]) -> list[Batch | None]:
    """Add *entries*, each with a ticket of its own."""
    ledger = Ledger(1, Limits())
    return [builder.add(enter(ledger, entry), entry, 0.0) for entry in entries]


def sizes(batch: Batch | None) -> list[int] | None:
    return None if batch is None else [len(entry.line) for entry in batch.entries]


def test_closes_before_the_size_is_exceeded() -> None:
    builder = Builder(size_bytes=100, wait_seconds=1)
    closed = [sizes(batch) for batch in add(builder, lines(40, 60, 1, 99, 1))]
    assert closed == [None, None, [40, 60], None, [1, 99]]
    assert sizes(builder.take()) == [1]
    assert not builder


def test_a_line_larger_than_the_batch_goes_alone() -> None:
    builder = Builder(size_bytes=100, wait_seconds=1)
    closed = [sizes(batch) for batch in add(builder, lines(10, 500, 10))]
    assert closed == [None, [10], [500]]


def test_age_counts_from_the_first_entry_of_the_batch() -> None:
    builder = Builder(size_bytes=100, wait_seconds=1)
    [some], ticket = lines(1), enter(Ledger(1, Limits()))
    builder.add(ticket, some, 10.0)
    builder.add(ticket, some, 10.9)
    assert builder.due_in(10.9) == pytest.approx(0.1)
    assert builder.due_in(11.5) == pytest.approx(-0.5)
    builder.take()
    builder.add(ticket, some, 20.0)
    assert builder.due_in(20.0) == 1.0


@given(st.lists(st.sampled_from([0, 1, 50, 4000, 300_000]), max_size=60), st.data())
def test_no_batch_is_too_large_for_loki_and_nothing_is_lost(
    lengths: list[int], data: st.DataObject
) -> None:
    limit = data.draw(st.sampled_from([100, 1 << 20, 1 << 30]))
    builder = Builder(size_bytes=limit, wait_seconds=1)
    given_, ledger = lines(*lengths), Ledger(1, Limits())
    batches: list[Batch] = []
    put: list[tuple[Ticket, Entry]] = []
    while len(put) < len(given_):
        some = given_[len(put) : len(put) + data.draw(st.integers(1, 9))]
        ticket = enter(ledger, *some)
        batches += builder.add_all(ticket, some, 0.0)
        put += [(ticket, entry) for entry in some]
    if builder:
        batches.append(builder.take())
    pairs = [zip(batch.tickets, batch.entries, strict=True) for batch in batches]
    assert [pair for batch in pairs for pair in batch] == put
    for batch in batches:
        size = sum(len(entry.line) for entry in batch.entries)
        decoded = len(encode_request("", batch.entries))
        assert batch.peak == Peak(max(len(entry.line) for entry in batch.entries))
        assert len(batch) == 1 or (
            size <= limit and decoded <= DECODED_LIMIT_BYTES + 16
        )


def test_empty_lines_do_not_make_a_giant_message() -> None:
    builder = Builder(size_bytes=1 << 20, wait_seconds=1)
    count = DECODED_LIMIT_BYTES // 24 + 1
    closed = [batch for batch in add(builder, lines(*[0] * count)) if batch]
    assert len(closed) == 1


@given(st.integers(2, 9))
def test_halves_keep_the_order(count: int) -> None:
    entries, ledger = lines(*[1] * count), Ledger(1, Limits())
    batch = Batch([enter(ledger, entry) for entry in entries], entries)
    left, right = batch.halves()
    assert [*left.tickets, *right.tickets] == batch.tickets
    assert [*left.entries, *right.entries] == entries
    assert left
    assert right


def test_the_peak_is_that_of_the_batch_alone_and_goes_with_its_parts() -> None:
    builder = Builder(size_bytes=100, wait_seconds=1)
    given = [
        Entry(1, b"x" * 90, (("k", "v"), ("l", "wx"))),
        Entry(2, b"x" * 7),
        Entry(3, b"x" * 30, (("key", "value"),)),
        Entry(4, b"x" * 100),
    ]
    closed = add(builder, given)
    batches = [batch for batch in [*closed, builder.take()] if batch]
    assert [batch.peak for batch in batches] == [
        Peak(90, 5, 2),
        Peak(30, 8, 1),
        Peak(100, 0, 0),
    ]
    middle = batches[1]
    assert {part.peak for part in (*middle.halves(), *middle.first())} == {middle.peak}
    assert builder.take().peak == Peak()
