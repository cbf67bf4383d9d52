"""The comparison itself: what it has to find."""

from __future__ import annotations

import pytest

from tests.nginx.oracle.compare import Difference, differences


THEIRS = """\
# HELP a_total All.
# TYPE a_total counter
a_total{code="200"} 5
a_total{code="500"} 1
# HELP b Now.
# TYPE b gauge
b 7
"""
LATER = THEIRS.replace("} 5", "} 9")


@pytest.mark.parametrize("ours", [THEIRS, LATER, THEIRS.replace("} 5", "} 7")])
def test_equal(ours: str) -> None:
    assert differences(THEIRS, ours, LATER, ()) == []


@pytest.mark.parametrize(
    ("ours", "shown"),
    [
        (THEIRS.replace("All", "Any"), "+# HELP a_total Any."),
        (THEIRS.replace("gauge", "counter"), "+# TYPE b counter"),
        (THEIRS.replace('code="500"', 'status="500"'), '+a_total{status="500"}'),
        (
            THEIRS.replace("200", "x").replace("500", "200").replace("x", "500"),
            '+a_total{code="500"}',
        ),
        (THEIRS.replace("} 5", "} 4"), 'a_total{code="200"}: ours 4, theirs 5..9'),
        (THEIRS.replace("b 7", "b 7.0"), "b: ours 7.0, theirs 7..7"),
        (THEIRS.partition("# HELP b")[0], "only theirs: b"),
        (THEIRS + "# HELP c Ours.\n# TYPE c gauge\nc 1\n", "only ours: c"),
        (
            "".join(
                THEIRS.partition("# HELP b")[1:] + THEIRS.partition("# HELP b")[:1]
            ),
            "+# HELP b Now.",
        ),
    ],
    ids=["HELP", "TYPE", "label", "order", "past", "text", "less", "more", "families"],
)
def test_different(ours: str, shown: str) -> None:
    assert shown in differences(THEIRS, ours, LATER, ())


def test_accepted() -> None:
    accepted = [
        Difference("only ours", "c", "new"),
        Difference("value", "b", "own"),
        Difference("label values", "a_.*", "versions"),
    ]
    ours = THEIRS.replace("500", "503").replace("b 7", "b 8")
    ours += "# HELP c Ours.\n# TYPE c gauge\nc 1\n"
    assert differences(THEIRS, ours, LATER, accepted) == []
    assert differences(THEIRS, ours, LATER, accepted[:1]) != []
