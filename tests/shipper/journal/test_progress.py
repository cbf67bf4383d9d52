from __future__ import annotations

from hypothesis import given, strategies as st

from shipper.journal.progress import Progress
from shipper.pipeline.entry import Entry


def test_nothing_but_an_acknowledgement_moves_it() -> None:
    progress = Progress("c0")
    progress.put("c1", 10)
    progress.passed("c2")
    progress.put("c3", 30)
    assert (progress.done, progress.oldest_us, progress.read) == ("c0", 10, "c3")
    progress.acknowledge([Entry(0, b"")])
    assert (progress.done, progress.oldest_us) == ("c2", 30)
    progress.acknowledge([Entry(0, b"")])
    assert (progress.done, progress.oldest_us) == ("c3", None)
    progress.passed("c4")
    assert progress.done == "c4"


@given(st.lists(st.booleans()), st.integers(0, 30))
def test_done_is_before_the_first_that_is_not_acknowledged(
    wanted: list[bool], acknowledged: int
) -> None:
    progress = Progress("-1")
    for number, put in enumerate(wanted):
        if put:
            progress.put(str(number), number)
        else:
            progress.passed(str(number))
    acknowledged = min(acknowledged, sum(wanted))
    progress.acknowledge([Entry(0, b"")] * acknowledged)
    left = [number for number, put in enumerate(wanted) if put][acknowledged:]
    assert progress.done == str(left[0] - 1 if left else len(wanted) - 1)
