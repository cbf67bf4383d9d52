from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from shipper.logql import (
    BinaryOperation,
    DropLabels,
    FilterOp,
    Grouping,
    LabelFilter,
    LineFilter,
    Literal,
    LogQLError,
    LogQuery,
    Matcher,
    MatchOp,
    RangeAggregation,
    Selector,
    VectorAggregation,
    parse,
    parse_log_query,
    parse_selector,
)
from shipper.logql.duration import parse_duration
from shipper.logql.pipeline import StreamPipeline


UNBOUNDED = (
    "parse error : queries require at least one regexp or equality matcher that does "
    'not have an empty-compatible value. For instance, app=~".*" does not meet this '
    'requirement, but app=~".+" will'
)
A = Selector((Matcher("a", MatchOp.EQUAL, "b"),))
MINUTE = 60_000_000_000


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('{a="b"}', LogQuery(A)),
        ('({a = "b"})', LogQuery(A)),
        (
            '{a="b",c=~"x.*", d != "e",f!~`\\d`}',
            LogQuery(
                Selector(
                    (
                        *A.matchers,
                        Matcher("c", MatchOp.REGEX, "x.*"),
                        Matcher("d", MatchOp.NOT_EQUAL, "e"),
                        Matcher("f", MatchOp.NOT_REGEX, r"\d"),
                    )
                )
            ),
        ),
        (
            '{a="b"} |= "x" or `y` != "" |~ "z" !~ "w" # end',
            LogQuery(
                A,
                (
                    LineFilter(FilterOp.CONTAINS, ("x", "y")),
                    LineFilter(FilterOp.NOT_CONTAINS, ("",)),
                    LineFilter(FilterOp.REGEX, ("z",)),
                    LineFilter(FilterOp.NOT_REGEX, ("w",)),
                ),
            ),
        ),
        (
            '{a="b"} | level=~"e.*" | drop __error__, x',
            LogQuery(
                A,
                (
                    LabelFilter(Matcher("level", MatchOp.REGEX, "e.*")),
                    DropLabels(("__error__", "x")),
                ),
            ),
        ),
        (
            'count_over_time({a="b"}[5m])',
            RangeAggregation("count_over_time", LogQuery(A), 5 * MINUTE),
        ),
        (
            'RATE(({a="b"})[1h30m] offset -5m)',
            RangeAggregation("rate", LogQuery(A), 90 * MINUTE, -5 * MINUTE),
        ),
        (
            'bytes_rate(({a="b"}[1m] offset 1.5h |= "x"))',
            RangeAggregation(
                "bytes_rate",
                LogQuery(A, (LineFilter(FilterOp.CONTAINS, ("x",)),)),
                MINUTE,
                90 * MINUTE,
            ),
        ),
        (
            'sum by (x, y) (rate({a="b"}[1m]))',
            VectorAggregation(
                "sum",
                RangeAggregation("rate", LogQuery(A), MINUTE),
                Grouping(("x", "y")),
            ),
        ),
        (
            'topk(3, rate({a="b"}[1m])) without ()',
            VectorAggregation(
                "topk",
                RangeAggregation("rate", LogQuery(A), MINUTE),
                Grouping((), without=True),
                3,
            ),
        ),
        (
            "1 + -2 * 3 ^ 2 ^ 1 >= bool 4",
            BinaryOperation(
                ">=",
                BinaryOperation(
                    "+",
                    Literal(1),
                    BinaryOperation(
                        "*",
                        Literal(-2),
                        BinaryOperation(
                            "^",
                            Literal(3),
                            BinaryOperation("^", Literal(2), Literal(1)),
                        ),
                    ),
                ),
                Literal(4),
                return_bool=True,
            ),
        ),
    ],
)
def test_trees(text: str, tree: object) -> None:
    assert parse(text) == tree


# Answers of a real Loki 3.4.6 to each of these words in each of these places.
PLACES = [
    ('{%s="x"}', 2, ", expecting IDENTIFIER or }"),
    ('{a="b", %s=~"x"}', 9, ", expecting IDENTIFIER"),
    ('sum by (%s) (rate({a="b"}[1m]))', 9, ", expecting IDENTIFIER or )"),
    ('sum without (a,%s) (rate({a="b"}[1m]))', 16, ", expecting IDENTIFIER"),
    ('sum(rate({a="b"}[1m])) by (%s)', 28, ", expecting IDENTIFIER or )"),
    ('{a="b"} | drop %s', 16, ", expecting IDENTIFIER"),
    ('{a="b"} | drop c, %s', 19, ", expecting IDENTIFIER"),
]
WORDS = (
    "and bool by decolorize drop group_left group_right ignoring json keep "
    "label_format line_format logfmt offset on or pattern regexp unless unpack unwrap "
    "without"
)
FUNCTIONS = (
    "absent_over_time approx_topk avg avg_over_time bottomk bytes bytes_over_time "
    "bytes_rate count count_over_time duration duration_seconds first_over_time ip "
    "label_replace last_over_time max max_over_time min min_over_time "
    "quantile_over_time rate rate_counter sort sort_desc stddev stddev_over_time "
    "stdvar stdvar_over_time sum sum_over_time topk vector"
)


@pytest.mark.parametrize(("place", "column", "expecting"), PLACES)
@pytest.mark.parametrize("word", WORDS.split())
def test_a_word_of_the_language_is_no_label(
    word: str, place: str, column: int, expecting: str
) -> None:
    expected = f"at line 1, col {column}: syntax error: unexpected {word}{expecting}"
    for spelled in (word, word.upper()):
        with pytest.raises(LogQLError) as caught:
            parse(place % spelled)
        assert str(caught.value) == f"parse error {expected}"


@pytest.mark.parametrize("place", [place for place, _, _ in PLACES])
@pytest.mark.parametrize("word", [*FUNCTIONS.split(), "count_values", "of", "inf"])
def test_the_name_of_a_function_is_a_label_too(word: str, place: str) -> None:
    for spelled in (word, word.upper()):
        assert spelled in str(parse(place % spelled))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{ip("x")="y"}', "ip"),
        ('{label_replace by (a)="y"}', "label_replace"),
        ('{sum without(a)="y"}', "SUM"),
        ('{bytes (a)="y"}', "BYTES_CONV"),
        ('{duration(a)="y"}', "DURATION_CONV"),
        ('{duration_seconds(a)="y"}', "DURATION_SECONDS_CONV"),
    ],
)
def test_what_is_called_is_no_label(text: str, found: str) -> None:
    with pytest.raises(LogQLError) as caught:
        parse(text)
    expected = f"unexpected {found}, expecting IDENTIFIER or }}"
    assert (
        str(caught.value) == f"parse error at line 1, col 2: syntax error: {expected}"
    )


def test_functions_select() -> None:
    assert parse_selector('{rate="1", ip="2"}').matches({"rate": "1", "ip": "2"})


# Places and words are those of Loki's own parser_test.go.
@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{foo="bar', "at line 1, col 6: literal not terminated"),
        (
            '{foo="bar"',
            "at line 1, col 11: syntax error: unexpected $end, expecting } or ,",
        ),
        (
            '{foo="bar"} |~',
            "at line 1, col 15: syntax error: unexpected $end, expecting STRING or ip",
        ),
        ('{foo="bar"} "foo"', "at line 1, col 13: syntax error: unexpected STRING"),
        ('{foo="bar"} foo', "at line 1, col 13: syntax error: unexpected IDENTIFIER"),
        ('unk({a="b"}[5m])', "at line 1, col 1: syntax error: unexpected IDENTIFIER"),
        (
            'rate({ foo = "bar" }[5minutes])',
            'at line 0, col 21: unknown unit "minutes" in duration "5minutes"',
        ),
        (
            'rate({ foo = "bar" }[5)',
            "at line 0, col 21: missing closing ']' in duration",
        ),
        (
            'min({ foo = "bar" }[5m])',
            "at line 0, col 20: syntax error: unexpected RANGE",
        ),
        ('min({ foo = "bar" })', "at line 1, col 20: syntax error: unexpected )"),
        ('rate({a="b"})', "at line 1, col 13: syntax error: unexpected )"),
        (
            'sum(3 ,rate({a="b"}[5h]))',
            ": unsupported parameter for operation sum(3,",
        ),
        ('topk(rate({a="b"}[5h]))', ": parameter required for operation topk"),
        (
            'bottomk(he,rate({a="b"}[5h]))',
            "at line 1, col 9: syntax error: unexpected IDENTIFIER",
        ),
        ('bottomk(1.2,rate({a="b"}[5h]))', ": invalid parameter bottomk(1.2,"),
        (
            'topk(0,rate({a="b"}[5h]))',
            ": invalid parameter (must be greater than 0) topk(0",
        ),
        (
            'rate({a="b"}[5h]) by (x)',
            ": grouping not allowed for rate aggregation",
        ),
        (
            'rate(50,{a="b"}[5h])',
            ": parameter 50 not supported for operation rate",
        ),
        (
            'rate(foo,{a="b"}[5m])',
            (
                "at line 1, col 6: syntax error: unexpected IDENTIFIER, "
                "expecting NUMBER or { or ("
            ),
        ),
        (
            'count without (rate({namespace="apps"}[15s]))',
            "line 1, col 16: syntax error: unexpected RATE, expecting IDENTIFIER or )",
        ),
        (
            '{foo="bar"} + {foo="bar"}',
            (
                ": unexpected type for left leg of binary operation (+): "
                "*syntax.MatchersExpr"
            ),
        ),
        (
            '1 > ({foo="bar"} |= "x")',
            (
                ": unexpected type for right leg of binary operation (>): "
                "*syntax.PipelineExpr"
            ),
        ),
        ('#{app="foo"} | json', "at line 1, col 20: syntax error: unexpected $end"),
        ("bool 1 > 1", "at line 1, col 1: syntax error: unexpected bool"),
        ("", "at line 1, col 1: syntax error: unexpected $end"),
        (
            '{\na.b="c"}',
            (
                "at line 2, col 2: syntax error: unexpected ., "
                "expecting = or =~ or !~ or !="
            ),
        ),
        ('{a="\\q"}', "at line 1, col 4: invalid char escape"),
        ('{a=~"("}', ": error parsing regexp: missing closing ): `(`"),
        ('{a="b"} |~ "("', ": error parsing regexp: missing closing ): `(`"),
        (
            "0x10 + 1",
            (
                ": unable to parse literal as a float: strconv.ParseFloat: parsing "
                '"0x10": invalid syntax'
            ),
        ),
        ("1" * 140_000, ": input size too long (140000 > 131072)"),
        (
            "1 or 2",
            (
                ": unexpected literal for left leg of logical/set binary operation "
                "(or): 1.000000"
            ),
        ),
        (
            '{a="b"} | line_format "{{len .x}}"',
            "a template with more than {{.label}} is not supported here, only by Loki",
        ),
        ("approx_topk(1, vector(1))", "approx_topk is not supported here"),
        ("(" * 200 + "1" + ")" * 200, "nested this deeply is not supported here"),
        ("1" + "^1" * 5000, "nested this deeply is not supported here"),
    ],
)
def test_errors_are_lokis(text: str, error: str) -> None:
    with pytest.raises(LogQLError) as caught:
        parse(text)
    assert str(caught.value).startswith("parse error ")
    assert error in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{a!="b"}',
        '{a=~".*"}',
        '{a!~"b"}',
        '{a=""}',
        'rate({a=~"x|"}[1m])',
        '1 + rate({a="b"}[1m]) / rate({a!="b"}[1m])',
    ],
)
def test_a_selector_demands_a_label(text: str) -> None:
    with pytest.raises(LogQLError) as caught:
        parse(text)
    assert str(caught.value) == UNBOUNDED


def test_entry_points_take_only_their_kind() -> None:
    with pytest.raises(LogQLError, match=r"^only log selector is supported$"):
        parse_log_query('rate({a="b"}[1m])')
    with pytest.raises(LogQLError, match=r"^only label matchers are supported$"):
        parse_selector('{a="b"} |= "x"')
    assert parse_log_query('{a="b"}').selector == A
    assert parse_selector("{}", bounded=False).matches({"any": "thing"})


@pytest.mark.parametrize(
    ("text", "labels", "selected"),
    [
        ('{a="b"}', {"a": "b", "c": "d"}, True),
        ('{a="b"}', {}, False),
        ('{a="b", c!="d"}', {"a": "b"}, True),
        ('{a=~"b|c"}', {"a": "c"}, True),
        ('{a=~"b|c"}', {"a": "cc"}, False),  # anchored
        ('{a=~"b.c"}', {"a": "b\nc"}, True),
        ('{a="b", c!~".+"}', {"a": "b"}, True),
        ('{a="b", c!~".+"}', {"a": "b", "c": "d"}, False),
        ('{a="b", c=""}', {"a": "b"}, True),
    ],
)
def test_selecting(text: str, labels: dict[str, str], selected: bool) -> None:
    assert parse_selector(text).matches(labels) is selected


@pytest.mark.parametrize(
    ("filters", "line", "passes"),
    [
        ('|= "rr"', b"error", True),
        ('|= "x" or "rr"', b"error", True),
        ('!= "x" or "rr"', b"error", False),
        ('!= "x" or "y"', b"error", True),
        ('|~ "^e.*r$"', b"error", True),
        ('|~ "r{2}" !~ "o|x"', b"error", False),
        ("|= ``", b"", True),
        ('|= "\\xff"', b"a\xffb", True),
        ('|= "\\u00e9\\t\\"\\101"', 'é\t"A'.encode(), True),
        ('|~ "a.b"', b"a\xffb", True),
    ],
)
def test_filtering(filters: str, line: bytes, passes: bool) -> None:
    query = parse_log_query('{a="b"} ' + filters)
    process = StreamPipeline(query.stages, {"a": "b"}).process
    assert (process(0, line, ()) is not None) is passes
    assert all(f.matches(line) for f in query.line_filters) is passes


def test_label_stages_change_and_filter_labels() -> None:
    query = parse_log_query('{a="b"} | level="error" | drop level, none')
    kept = StreamPipeline(query.stages, {"a": "b", "level": "error"})
    line = kept.process(0, b"", ())
    assert line is not None
    assert line.labels() == {"a": "b"}
    assert StreamPipeline(query.stages, {"a": "b"}).process(0, b"", ()) is None


@pytest.mark.parametrize(
    ("grouping", "key"),
    [
        (Grouping(("b", "a", "no")), (("a", "1"), ("b", "2"))),
        (Grouping(()), ()),
        (Grouping(("a",), without=True), (("b", "2"),)),
    ],
)
def test_groups(grouping: Grouping, key: tuple[tuple[str, str], ...]) -> None:
    assert grouping.key({"b": "2", "a": "1"}) == key


@pytest.mark.parametrize(
    ("text", "left", "right", "value"),
    [
        ('rate({a="b"}[1m]) * 2', 3.0, 2.0, 6.0),
        ('rate({a="b"}[1m]) > 2', 3.0, 2.0, 3.0),
        ('rate({a="b"}[1m]) > 4', 3.0, 4.0, None),
        ('2 < rate({a="b"}[1m])', 2.0, 3.0, 3.0),
        ('rate({a="b"}[1m]) > bool 4', 3.0, 4.0, 0.0),
        ("1 == 1", 1.0, 1.0, 1.0),
        ("2 > 3", 2.0, 3.0, 0.0),
        ("7 % 4", -7.0, 4.0, -3.0),
        ("2 ^ 3", 2.0, 3.0, 8.0),
        ("2 ^ 3", 10.0, 999.0, math.inf),
    ],
)
def test_operations(text: str, left: float, right: float, value: float | None) -> None:
    operation = parse(text)
    assert isinstance(operation, BinaryOperation)
    assert operation.compute(left, right) == value


@pytest.mark.parametrize(("op", "left"), [("/", 1.0), ("%", 1.0)])
def test_division_by_zero_is_no_number(op: str, left: float) -> None:
    value = BinaryOperation(op, Literal(left), Literal(0.0)).compute(left, 0.0)
    assert value is not None
    assert math.isnan(value)


@pytest.mark.parametrize(
    ("text", "ns"), [("1d", 1440 * MINUTE), ("1.5h", 90 * MINUTE), ("-5µs", -5000)]
)
def test_durations(text: str, ns: int) -> None:
    assert parse_duration(text) == ns


_PIECES = st.one_of(
    st.sampled_from(["{", "}", "(", ")", ",", "|=", "|", "+", "!=", "[5m]", "#", "\n"]),
    st.sampled_from(['a="b"', '"x"', "`", '"', "\\", "a", "é", "1", "5m", ".5"]),
    st.sampled_from(["rate(", "or", "sum", "by", " offset ", "drop"]),
)


@given(st.lists(_PIECES, max_size=14).map("".join))
def test_nothing_but_logql_errors(text: str) -> None:
    error = ""
    try:
        parse(text)
    except LogQLError as raised:
        error = str(raised)
    assert not error or error.startswith("parse error ")


_TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)


@given(
    st.lists(st.tuples(st.sampled_from(MatchOp), _TEXTS), max_size=3),
    st.lists(
        st.tuples(st.sampled_from(FilterOp), st.lists(_TEXTS, min_size=1)), max_size=3
    ),
)
def test_a_query_prints_as_itself(
    matchers: list[tuple[MatchOp, str]], filters: list[tuple[FilterOp, list[str]]]
) -> None:
    import re2  # noqa: PLC0415  only to make any text a pattern

    def as_pattern(op: str, text: str) -> str:
        return re2.escape(text) if "~" in op else text

    query = LogQuery(
        Selector(
            (*A.matchers, *(Matcher("x", op, as_pattern(op, t)) for op, t in matchers))
        ),
        tuple(
            LineFilter(op, tuple(as_pattern(op, text) for text in texts))
            for op, texts in filters
        ),
    )
    assert parse(str(query)) == query
