from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from exporters.toolkit import completion, flags
from exporters.toolkit.logs import LOG_FLAGS
from exporters.toolkit.web import listen_address


PROGRAM = flags.Program(
    "demo",
    "",
    (
        flags.string("path.procfs", "P.", default="/proc"),
        flags.string("secret", "S.", hidden=True),
        flags.choice("kind", "K.", ("a", "ab"), default="a"),
        listen_address(":9100"),
        *LOG_FLAGS,
    ),
)
ALL = [
    "--help",
    "--path.procfs",
    "--kind",
    "--web.listen-address",
    "--log.level",
    "--log.format",
    "--version",
]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ((), []),
        (("",), []),
        (("word",), []),
        (("--",), ALL),
        (("--pa",), ALL),  # the shell chooses among them
        (("--path.procfs",), []),  # no values are known
        (("--path.procfs", "/x"), []),
        (("--path.procfs", "--ki"), ALL),
        (("--log.level",), ["debug", "info", "warn", "error"]),
        (("--log.level", "w"), ["debug", "info", "warn", "error"]),
        (("--log.level", "warn"), []),
        (("--log.format",), ["logfmt", "json"]),
        (("--kind", "a"), ["a", "ab"]),  # it may go on
        (("--kind", "ab"), []),
        (("--web.listen-address",), [":9100"]),
        (("--bogus", "--"), ALL),
        (("--version", "--he"), ALL),  # nothing else is answered
        (("--", "--he"), []),  # behind -- there are no flags
    ],
)
def test_offers(words: Sequence[str], offered: list[str]) -> None:
    with pytest.raises(flags.HelpRequested) as asked:
        PROGRAM.parse(["--completion-bash", *words], {})
    assert asked.value.text == "\n".join(offered)


def test_bash_completes(tmp_path: Path) -> None:
    program = tmp_path / "demo"
    program.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c '\n"
        "import sys\n"
        "from exporters.toolkit import flags\n"
        "from exporters.toolkit.logs import LOG_FLAGS\n"
        'p = flags.Program("demo", "", LOG_FLAGS)\n'
        "sys.exit(flags.main(p, sys.argv[1:], {}, lambda _: 3))\n"
        '\' "$@"\n'
    )
    program.chmod(0o755)
    script = (
        f"{completion.bash_script('demo')}\n"
        'try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=();'
        ' _demo_bash_autocomplete; echo "${COMPREPLY[@]}"; }\n'
        f"try {program} --log.l\n"
        f"try {program} --log.level d\n"
        f"try {program} --log.level ''\n"
        f"try {program} nothing\n"
        "complete -p demo\n"
    )
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.split("\n")[:4] == [
        "--log.level",
        "debug",
        "debug info warn error",
        "",
    ]
    assert "-o default -F _demo_bash_autocomplete demo" in done.stdout


def test_scripts_ask_the_program() -> None:
    for name in ("--completion-script-bash", "--completion-script-zsh"):
        with pytest.raises(flags.HelpRequested) as asked:
            PROGRAM.parse([name, "--bogus"], {})
        assert "--completion-bash" in asked.value.text
        assert "_demo" in asked.value.text


def test_man_page_names_the_version() -> None:
    with pytest.raises(flags.HelpRequested) as asked:
        PROGRAM.parse(["--help-man"], {})
    assert asked.value.text.startswith(".TH demo 1 demo, version ")
    assert ' ""\n.SH "NAME"\ndemo\n.SH "SYNOPSIS"\n.TP\n\\fBdemo' in asked.value.text
