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
    first, second = ledger.enter(some, Nobody()), ledger.enter(some, Nobody())
    assert some.size_bytes == 55
    assert builder.add(first, 0.0) is None
    assert builder.add(second, 0.0) == Batch((first,), Peak(40, 15, 1))


@given(st.lists(st.integers(0, 9), max_size=80))
def test_metadata_does_not_make_a_giant_message(pairs: list[int]) -> None:
    builder, ledger = Builder(size_bytes=1 << 30, wait_seconds=1), Ledger(1, Limits())
    entries = [Entry(1, b"", (("k" * 99, "v" * 30_000),) * count) for count in pairs]
    tickets = [ledger.enter(entry, Nobody()) for entry in entries]
    batches = [b for ticket in tickets if (b := builder.add(ticket, 0.0))]
    for batch in [*batches, builder.take()]:
        decoded = len(encode_request("", [t.shipped for t in batch.tickets]))
        assert decoded <= DECODED_LIMIT_BYTES + 16


def tickets(*sizes: int) -> list[Ticket]:
    ledger, cursor = Ledger(1, Limits()), Nobody()
    return [ledger.enter(Entry(n, b"x" * size), cursor) for n, size in enumerate(sizes)]


def sizes(batch: Batch | None) -> list[int] | None:
    return (
        None
        if batch is None
        else [len(ticket.shipped.line) for ticket in batch.tickets]
    )


def test_closes_before_the_size_is_exceeded() -> None:
    builder = Builder(size_bytes=100, wait_seconds=1)
    closed = [sizes(builder.add(t, 0.0)) for t in tickets(40, 60, 1, 99, 1)]
    assert closed == [None, None, [40, 60], None, [1, 99]]
    assert sizes(builder.take()) == [1]
    assert not builder


def test_a_line_larger_than_the_batch_goes_alone() -> None:
    builder = Builder(size_bytes=100, wait_seconds=1)
    closed = [sizes(builder.add(t, 0.0)) for t in tickets(10, 500, 10)]
    assert closed == [None, [10], [500]]


def test_age_counts_from_the_first_entry_of_the_batch() -> None:
    builder = Builder(size_bytes=100, wait_seconds=1)
    first, second, third = tickets(1, 1, 1)
    builder.add(first, 10.0)
    builder.add(second, 10.9)
    assert builder.due_in(10.9) == pytest.approx(0.1)
    assert builder.due_in(11.5) == pytest.approx(-0.5)
    builder.take()
    builder.add(third, 20.0)
    assert builder.due_in(20.0) == 1.0


@given(st.lists(st.sampled_from([0, 1, 50, 4000, 300_000]), max_size=60), st.data())
def test_no_batch_is_too_large_for_loki_and_nothing_is_lost(
    lengths: list[int], data: st.DataObject
) -> None:
    limit = data.draw(st.sampled_from([100, 1 << 20, 1 << 30]))
    builder = Builder(size_bytes=limit, wait_seconds=1)
    given_ = tickets(*lengths)
    batches = [b for t in given_ if (b := builder.add(t, 0.0))]
    if builder:
        batches.append(builder.take())
    assert [t for batch in batches for t in batch.tickets] == given_
    for batch in batches:
        lines = sum(len(t.shipped.line) for t in batch.tickets)
        decoded = len(encode_request("", [t.shipped for t in batch.tickets]))
        assert len(batch.tickets) == 1 or (
            lines <= limit and decoded <= DECODED_LIMIT_BYTES + 16
        )


def test_empty_lines_do_not_make_a_giant_message() -> None:
    builder = Builder(size_bytes=1 << 20, wait_seconds=1)
    ledger, cursor = Ledger(1, Limits()), Nobody()
    count = DECODED_LIMIT_BYTES // 24 + 1
    closed = [
        batch
        for n in range(count)
        if (batch := builder.add(ledger.enter(Entry(n, b""), cursor), 0.0))
    ]
    assert len(closed) == 1


@given(st.integers(2, 9))
def test_halves_keep_the_order(count: int) -> None:
    batch = Batch(tuple(tickets(*[1] * count)))
    left, right = batch.halves()
    assert left.tickets + right.tickets == batch.tickets
    assert left.tickets
    assert right.tickets


def test_the_peak_is_that_of_the_batch_alone_and_goes_with_its_parts() -> None:
    builder, ledger = Builder(size_bytes=100, wait_seconds=1), Ledger(1, Limits())
    given = [
        Entry(1, b"x" * 90, (("k", "v"), ("l", "wx"))),
        Entry(2, b"x" * 7),
        Entry(3, b"x" * 30, (("key", "value"),)),
        Entry(4, b"x" * 100),
    ]
    tickets = [ledger.enter(entry, Nobody()) for entry in given]
    closed = [builder.add(ticket, 0.0) for ticket in tickets]
    batches = [batch for batch in [*closed, builder.take()] if batch]
    assert [batch.peak for batch in batches] == [
        Peak(90, 5, 2),
        Peak(30, 8, 1),
        Peak(100, 0, 0),
    ]
    middle = batches[1]
    assert {part.peak for part in (*middle.halves(), *middle.first())} == {middle.peak}
    assert builder.take().peak == Peak()
