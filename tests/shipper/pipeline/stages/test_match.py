from __future__ import annotations

from collections.abc import Callable

import pytest

from exporters.toolkit.decode import DecodeError
from tests.shipper.pipeline.conftest import Rig


NewRig = Callable[..., Rig]
HIT = "stages: [{static_labels: {hit: 'yes'}}]"


@pytest.mark.parametrize(
    ("selector", "line", "hit"),
    [
        ('{job="test"}', "x", True),
        ('{job="Test"}', "x", False),
        ('{job=~"t.*t"}', "x", True),
        ('{job=~"tes"}', "x", False),
        ('{job!~"tes", job!="x"}', "x", True),
        ('{nothing=""}', "x", True),
        ('{nothing!=""}', "x", False),
        ('{nothing=~".*"}', "x", True),
        ('{job="test"} |= "a" |= "b"', "ba", True),
        ('{job="test"} |= "a" != "b"', "ba", False),
        ('{job="test"} |~ "^b.$" !~ "c"', "ba", True),
        ('{job="test"}|="a"', "a", True),
        ('{job="test"} |= ""', "", True),
        ("{job=`test`} |~ `\\d`", "1", True),
        ('{job="test"} |~ "a.b"', "a\udcffb", True),
        ('{job="test"} |= "a\\xffb"', "a\udcffb", True),
        ('{or="", by!="x", sum="", line_format=""} != "or"', "x", True),
    ],
)
def test_selectors(rig: NewRig, selector: str, line: str, hit: bool) -> None:
    quoted = selector.replace("'", "''")
    [out] = rig(f"- match: {{selector: '{quoted}', {HIT}}}").feed(line)
    assert out.labels == {"job": "test", **({"hit": "yes"} if hit else {})}


def test_what_does_not_match_passes_unchanged_and_in_order(rig: NewRig) -> None:
    run = rig(f'- match: {{selector: \'{{job="test"}} |= "a"\', {HIT}}}')
    outs = run.feed_all(["a1", "b1", "a2", "b2"])
    assert [(out.line, "hit" in out.labels) for out in outs] == [
        ("a1", True),
        ("b1", False),
        ("a2", True),
        ("b2", False),
    ]


@pytest.mark.parametrize(
    ("key", "reason"),
    [("", "match_stage"), (", drop_counter_reason: chatty", "chatty")],
)
def test_drop_is_counted(rig: NewRig, key: str, reason: str) -> None:
    selector = '\'{job="test"} |= "debug"\''
    run = rig(f"- match: {{selector: {selector}, action: drop{key}}}")
    assert [out.line for out in run.feed_all(["debug 1", "info", "debug 2"])] == [
        "info"
    ]
    assert run.counts.reasons == {reason: 2}
    assert run.dropped == ["debug 1", "debug 2"]


def test_labels_are_extracted_again_inside(rig: NewRig) -> None:
    run = rig(
        "- regex: {expression: 'job=(?P<job>\\w+)'}\n"
        "- match: {selector: '{job=\"test\"}', stages: [{labels: {inside: job}}]}"
    )
    assert run.feed("job=other")[0].labels == {"job": "test", "inside": "test"}


def test_stages_that_hold_back_work_inside(rig: NewRig) -> None:
    run = rig(
        "- match:\n"
        '    selector: \'{job="test"} != "skip"\'\n'
        "    stages: [{multiline: {firstline: '^\\d'}}]\n"
        "- static_labels: {after: '1'}"
    )
    assert [out.line for out in run.feed_all(["1 a", "skip", "b"])] == ["skip"]
    run.clock.advance(3.001)
    [out] = run.release()
    assert (out.line, out.labels["after"]) == ("1 a\nb", "1")


def test_one_inside_another_drops(rig: NewRig) -> None:
    run = rig(
        "- match:\n"
        "    selector: '{job=\"test\"}'\n"
        "    pipeline_name: outer\n"
        "    stages:\n"
        '    - match: {selector: \'{job="test"} |= "debug"\', action: drop}\n'
    )
    assert [out.line for out in run.feed_all(["debug", "info"])] == ["info"]
    assert run.dropped == ["debug"]


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        (HIT, "selector statement required for match stage"),
        (
            "selector: '{job=\"t\"}'",
            (
                "match stage requires at least one additional stage to be defined in "
                "'- stages'"
            ),
        ),
        (
            f"selector: '{{job=\"t\"}}', action: drop, {HIT}",
            "match stage configured to drop entries cannot contains stages",
        ),
        (
            f"selector: '{{job=\"t\"}}', action: Keep, {HIT}",
            "match stage action should be 'keep' or 'drop'",
        ),
        (
            f"selector: '{{job=\"t\"}}', pipeline_name: '', {HIT}",
            "match stage pipeline name can be omitted but cannot be an empty string",
        ),
    ],
)
def test_refuses(rig: NewRig, keys: str, error: str) -> None:
    with pytest.raises(DecodeError) as refused:
        rig(f"- match: {{{keys}}}")
    [text] = refused.value.errors
    assert text.endswith(f": {error}")


@pytest.mark.parametrize(
    ("selector", "error"),
    [
        ("{}", "unexpected }, expecting IDENTIFIER"),
        ("{job}", "unexpected }, expecting = or =~ or !~ or !="),
        ('{job="a"', "unexpected $end, expecting } or ,"),
        ('{job="a"} x', "unexpected IDENTIFIER"),
        ('{job=~"("}', "error parsing regexp: missing closing ): `(`"),
        ('{job="a"} |~ "(?=x)"', "invalid or unsupported Perl syntax: `(?=`"),
        ('{job="a"} |> "<_>"', "line filter |> is not supported here"),
        ('{job="a"} | json', "| json is not supported here"),
        ('{job="a"} | level="b"', "nothing but line filters"),
        ('count_over_time({job="a"}[1m])', "unexpected"),
        ('"x"', "unexpected STRING"),
        ('{job="a} ', "literal not terminated"),
    ],
)
def test_refuses_selectors(rig: NewRig, selector: str, error: str) -> None:
    with pytest.raises(DecodeError) as refused:
        rig(f"- match: {{selector: '{selector}', {HIT}}}")
    [text] = refused.value.errors
    assert ": invalid selector syntax for match stage: " in text
    assert error in text
