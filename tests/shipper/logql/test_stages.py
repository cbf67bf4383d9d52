"""Stages over single lines; what a real Loki 3.4.6 makes of the same is the measure."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from shipper.logql import LogQLError, parse, parse_log_query
from shipper.logql.pipeline import StreamPipeline, reordered
from shipper.logql.sizes import parse_size


JSON_ERROR = "JSONParserErr"
OBJECT = "Value looks like object, but can't find closing '}' symbol"


def run(stages: str, line: str) -> tuple[dict[str, str], str] | None:
    """Return the labels that *stages* made and the text, None if it is left out."""
    query = parse_log_query('{a="b"} ' + stages)
    base = {"job": "j", "level": "stream"}
    found = StreamPipeline(reordered(query.stages), base).process(1, line.encode(), ())
    if found is None:
        return None
    made = {k: v for k, v in found.labels().items() if base.get(k) != v}
    return made, found.text.decode()


@pytest.mark.parametrize(
    ("line", "labels"),
    [
        ('{"a": 1.50, "b": true, "c": null, "d": [1]}', {"a": "1.50", "b": "true"}),
        ('{"e": {"f g": {"1": "x"}}}', {"e_f_g_1": "x"}),
        ('{"1a": "x", "a-b": "y"}', {"_1a": "x", "a_b": "y"}),
        ('{"job": "x", "level": 5}', {"job_extracted": "x", "level_extracted": "5"}),
        ('{"a": 1, "a": 2}', {"a": "2"}),
        ('{"a.b": 1, "a_b": 2}', {"a_b": "1"}),
        (r'{"a": "\u00e9\ud83d\ude00\n"}', {"a": "é😀\n"}),
        (r'{"a": "\u0041\ud83d\ude00"}', {"a": "A😀"}),
        (r'{"a": "\ud83d", "b": 1}', {"a": "", "b": "1"}),
        ('{"a": 1} behind', {"a": "1"}),
        ('{"a": 01}', {"a": "01"}),
        (
            '{"a": 1, "b": ',
            {
                "a": "1",
                "__error__": JSON_ERROR,
                "__error_details__": "Malformed JSON error",
            },
        ),
        ("text", {"__error__": JSON_ERROR, "__error_details__": OBJECT}),
    ],
)
def test_json(line: str, labels: dict[str, str]) -> None:
    assert run("| json", line) == (labels, line)


@pytest.mark.parametrize(
    ("stages", "labels"),
    [
        ('| json a="x.y[1]"', {"a": "2"}),
        ('| json a="x[\\"y\\"]", b="z"', {"a": "[1,2]", "b": ""}),
        ("| json x", {"x": '{"y": [1,2]}'}),
        ('| json level="x.y[0]"', {"level_extracted": "1"}),
    ],
)
def test_json_fields(stages: str, labels: dict[str, str]) -> None:
    line = '{"x": {"y": [1,2]}}'
    assert run(stages, line) == (labels, line)


@pytest.mark.parametrize(
    ("stages", "line", "labels"),
    [
        ("| logfmt", 'a=1 b="x y" c= d', {"a": "1", "b": "x y"}),
        ("| logfmt --keep-empty", "a= d", {"a": "", "d": ""}),
        ("| logfmt", 'a=b=c d=1 "x" e="open', {"d": "1"}),
        (
            "| logfmt --strict",
            "a=1 b=c=d e=1",
            {
                "a": "1",
                "__error__": "LogfmtParserErr",
                "__error_details__": "logfmt syntax error at pos 8 : unexpected '='",
            },
        ),
        ('| logfmt a, x="b"', "a=1 b=2 c=3", {"a": "1", "x": "2"}),
        ("| logfmt no", "a=1", {"no": ""}),
        ("| logfmt", 'a="\\u00e9\\n" level=x', {"a": "é\n", "level_extracted": "x"}),
        ('| regexp "(?P<x>[0-9]+)(?P<y>z)?"', "a 12", {"x": "12", "y": ""}),
        ('| pattern "<x> [<_>] <y>!"', "1 [2] 3! 4", {"x": "1", "y": "3"}),
        ('| pattern "<x> <y>"', "alone", {"x": "alone"}),
    ],
)
def test_parsers(stages: str, line: str, labels: dict[str, str]) -> None:
    assert run(stages, line) == (labels, line)


def test_unpack_changes_the_line() -> None:
    line = '{"_entry": "text", "container": "c", "level": "x", "n": 1}'
    labels = {"container": "c", "level_extracted": "x"}
    assert run("| unpack", line) == (labels, "text")
    assert run('| unpack |= "container"', line) is None
    assert run('| json |= "container"', line) is not None


LINE = '{"n": 5, "took": "1.5s", "size": "2KB", "addr": "10.1.2.3", "text": "abc"}'


@pytest.mark.parametrize(
    ("condition", "passes"),
    [
        ("n > 4", True),
        ("n >= 6", False),
        ("n == 5 and n != 4", True),
        ("n = 5, size < 1KB", False),
        ("took > 1s", True),
        ("took <= 1500ms", True),
        ("size = 2KB or n > 9", True),
        ("n > 9 or n > 8 n > 7", False),
        ("(n > 9 or n < 8) and text =~ `a.c`", True),
        ("n > 9 and n < 8 or n = 5", True),
        ('missing = ""', True),
        ("missing > 1", False),
        ("missing != 1", False),
        ('addr = ip("10.0.0.0/8")', True),
        ('addr != ip("10.1.2.3")', False),
        ('addr = ip("10.1.0.0-10.1.2.2")', False),
        ("text > 1", True),  # an error, which passes
        ('text > 1 | __error__ = ""', False),
        ('text > 1 | __error__ = "LabelFilterErr"', True),
    ],
)
def test_conditions(condition: str, passes: bool) -> None:
    assert (run(f"| json | {condition}", LINE) is not None) is passes


@pytest.mark.parametrize(
    ("stages", "labels", "text"),
    [
        ("| drop level, x", {}, "a=1 b=2"),
        ('| logfmt | drop a="1", b="1"', {"b": "2"}, "a=1 b=2"),
        ("| logfmt | keep a", {"a": "1"}, "a=1 b=2"),
        ('| logfmt | label_format c=a, d="{{.b}}!"', {"b": "2", "c": "1", "d": "2!"},
         "a=1 b=2"),
        ('| logfmt | line_format "{{.a}}{{ .b }} {{.none}}."', {"a": "1", "b": "2"},
         "12 ."),
        ('| line_format "<{{__line__}}>"', {}, "<a=1 b=2>"),
    ],
)  # fmt: skip
def test_shaping(stages: str, labels: dict[str, str], text: str) -> None:
    assert run(stages, "a=1 b=2") == (labels, text)


def test_colours_go() -> None:
    assert run("| decolorize", "\x1b[31mred\x1b[0m") == ({}, "red")


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        ('|> "<_> two <_>"', True),
        ('|> "<_> two"', False),
        ('|> "one <_>" or "x"', True),
        ('!> "one <_>"', False),
        ('|= ip("192.0.2.0/24")', True),
        ('!= ip("192.0.2.9")', False),
        ('|= ip("192.0.3.1")', False),
    ],
)
def test_filters_of_lines(filters: str, passes: bool) -> None:
    assert (run(filters, "one two 192.0.2.9") is not None) is passes


@pytest.mark.parametrize(
    ("text", "size"),
    [("5", 5), ("1.5KB", 1500), ("1 KiB", 1024), ("1,000b", 1000), ("2g", 2 * 10**9)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "x", "5 parsecs", "1e3", "99999999EB"])
def test_bad_sizes(text: str) -> None:
    with pytest.raises(ValueError, match=r"ParseFloat|unhandled|too large"):
        parse_size(text)


QUERIES = [
    '{a="b"} | json | x>=500.0',
    '{a="b"} | json x="y.z" | logfmt --strict a="b"',
    '{a="b"} | regexp "(?P<x>y)" | pattern "<x>" | unpack | decolorize',
    '{a="b"} | keep x, y="z" | drop x="1"',
    '{a="b"} | (x="1" or y>2) |> "<_> x" != ip("1.2.3.4")',
]


@pytest.mark.parametrize("text", QUERIES)
def test_a_query_prints_as_itself(text: str) -> None:
    assert parse(str(parse(text))) == parse(text)


_LINES = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(
            ['{"', '"', "{", "}", "[", "]", ":", ",", "\\", "\\u", "d83d", "a", " ",
             "1", "null", "=", "-", "é", "\x1b[", "m", "::1", "1.2.3.4", "<_>"]
        )
    ).map("".join),
)  # fmt: skip
_STAGES = (
    "| json",
    '| json a="x[0].y"',
    "| logfmt",
    "| logfmt --strict a",
    "| unpack",
    "| decolorize",
    '| pattern "<a> <b>"',
    '|= ip("1.0.0.0/8")',
)


@given(_LINES, st.sampled_from(_STAGES))
def test_no_line_is_too_odd(line: str, stage: str) -> None:
    query = parse_log_query('{a="b"} ' + stage)
    text = line.encode("utf-8", "surrogatepass")
    StreamPipeline(query.stages, {"a": "b"}).process(1, text, ())


_WORDS = st.sampled_from(
    ["|", "json", "logfmt", "unwrap", "x", "=", '"y"', ">", "5", "5s", "5MB", "and",
     "or", "(", ")", ",", "drop", "keep", "label_format", "line_format", "--strict",
     "|=", "ip(", "[5m]", "sum_over_time(", '{a="b"}', "by", "on", "vector(1)",
     "label_replace(", "group_left", "+"]
)  # fmt: skip


@given(st.lists(_WORDS, max_size=12).map(" ".join))
def test_nothing_but_logql_errors(text: str) -> None:
    for prefix in ("", '{a="b"} | json '):
        error = ""
        try:
            parse(prefix + text)
        except LogQLError as raised:
            error = str(raised)
        assert not error or error.startswith("parse error ")
