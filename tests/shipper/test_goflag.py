from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from shipper.goflag import FlagError, HelpWanted, parse_bool, parse_flags


FLAGS = {"config.file": False, "dry-run": True, "client.url": False}


@pytest.mark.parametrize(
    ("argv", "given_"),
    [
        ([], {}),
        (["-config.file", "a.yaml"], {"config.file": "a.yaml"}),
        (["--config.file=a.yaml"], {"config.file": "a.yaml"}),
        (["-config.file="], {"config.file": ""}),
        (["-config.file=a=b"], {"config.file": "a=b"}),
        (["-config.file", "-dry-run"], {"config.file": "-dry-run"}),
        (["-dry-run", "-config.file=x"], {"dry-run": "true", "config.file": "x"}),
        (["-dry-run=false"], {"dry-run": "false"}),
        (["-dry-run", "false", "-config.file=x"], {"dry-run": "true"}),
        (["--", "-config.file=x"], {}),
        (["-", "-config.file=x"], {}),
        (["-config.file=a", "-config.file=b"], {"config.file": "b"}),
    ],
)
def test_as_go_reads_it(argv: list[str], given_: dict[str, str]) -> None:
    assert parse_flags(argv, FLAGS) == given_


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["-nope"], "flag provided but not defined: -nope"),
        (["--stdin"], "flag provided but not defined: -stdin"),
        (["-config.file"], "flag needs an argument: -config.file"),
        (["---x"], "bad flag syntax: ---x"),
        (["-=x"], "bad flag syntax: -=x"),
    ],
)
def test_refused_in_gos_words(argv: list[str], text: str) -> None:
    with pytest.raises(FlagError) as told:
        parse_flags(argv, FLAGS)
    assert str(told.value) == text


@pytest.mark.parametrize("word", ["-h", "--help", "-help"])
def test_help(word: str) -> None:
    with pytest.raises(HelpWanted):
        parse_flags([word], FLAGS)


@given(st.lists(st.text(max_size=8), max_size=5))
def test_any_words(words: list[str]) -> None:
    try:
        found = parse_flags(words, FLAGS)
    except (FlagError, HelpWanted):
        return
    assert found.keys() <= FLAGS.keys()


def test_parse_bool() -> None:
    assert parse_bool("T")
    assert not parse_bool("0")
    with pytest.raises(ValueError, match="parse error"):
        parse_bool("yes")
