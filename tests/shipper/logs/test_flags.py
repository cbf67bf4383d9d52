from __future__ import annotations

import pytest

from shipper.logs.errors import UsageError
from shipper.logs.flags import Connection, HelpWanted, Options, parse_argv
from shipper.logs.selector import Bare, is_metric, parse_bare, unknown_name


@pytest.mark.parametrize(
    "argv",
    [
        ["--since", "2h", "--limit=5", "{a='b'}", "-f", "-o", "raw"],
        ["{a='b'}", "--since=2h", "--limit", "5", "--tail", "--output=raw"],
        ["-o", "raw", "-t", "--since=2h", "--limit=5", "--", "{a='b'}"],
    ],
)
def test_flags_stand_before_and_after_the_query(argv: list[str]) -> None:
    assert parse_argv(argv, {}) == Options(
        query="{a='b'}", since="2h", limit=5, follow=True, output="raw"
    )


def test_the_environment_and_the_flags_over_it() -> None:
    environ = {
        "LOKI_ADDR": "http://loki:1", "LOKI_USERNAME": "me", "LOKI_PASSWORD": "pw",
        "LOKI_ORG_ID": "t", "LOKI_TLS_SKIP_VERIFY": "true", "LOKI_BEARER_TOKEN": "",
    }  # fmt: skip
    found = parse_argv(["x", "--org-id", "u"], environ).connection
    assert found == Connection(
        address="http://loki:1", username="me", password="pw", org_id="u",
        tls_skip_verify=True,
    )  # fmt: skip
    assert "pw" not in repr(found)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "expected a query"),
        (["a", "b"], "expected one query, got 2"),
        (["a", "--nope"], "unknown flag --nope"),
        (["a", "--sinc", "1h"], "unknown flag --sinc"),
        (["a", "--limit", "many"], "invalid int value"),
        (["a", "--limit", "-1"], "--limit is 0"),
        (["a", "-o", "xml"], "invalid choice"),
        (["a", "--since"], "expected one argument"),
    ],
)
def test_wrong_usage(argv: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_argv(argv, {})


def test_help_names_every_flag() -> None:
    with pytest.raises(HelpWanted) as wanted:
        parse_argv(["--help"], {})
    text = str(wanted.value)
    for flag in ("--addr", "--follow, -f", "--include-label", "--list-labels", "exit"):
        assert flag in text


@pytest.mark.parametrize(
    ("query", "bare"),
    [
        ("nginx", Bare("nginx", "")),
        (" my-app.1 ", Bare("my-app.1", "")),
        ('nginx |= "a b" | json', Bare("nginx", '|= "a b" | json')),
        ('nginx != "x"', Bare("nginx", '!= "x"')),
        ('{a="b"}', None),
        ("vector(1)", None),
        ('rate({a="b"}[1m])', None),
        ("two words", None),
    ],
)
def test_bare_words(query: str, bare: Bare | None) -> None:
    assert parse_bare(query) == bare


def test_a_bare_word_as_logql() -> None:
    assert Bare("a", '|= "x"').query("job") == '{job="a"} |= "x"'


@pytest.mark.parametrize(
    ("query", "metric"),
    [
        ('{a="b"}', False),
        (' \n({a="b"} |= "x")', False),
        ('# {a="b"}\n{a="b"}', False),
        ('sum(rate({a="b"}[5m]))', True),
        ("1 + 1", True),
        ('# the rate\nrate({a="b"}[5m])', True),
    ],
)
def test_what_asks_for_numbers(query: str, metric: bool) -> None:
    assert is_metric(query) is metric


def test_a_hint_for_a_name_nobody_has() -> None:
    assert unknown_name("ngins", ["mysql", "nginx"]) == "there are: nginx, ..."
    assert unknown_name("zzz", ["b", "a"]) == "there are: a, b"
    assert "nothing was logged" in unknown_name("zzz", [])
