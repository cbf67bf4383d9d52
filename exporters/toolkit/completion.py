"""What a shell asks to complete a command line (kingpin ``app.go``, ``cmd.go``).

``--completion-bash`` and the words so far are answered with what may follow; the two
scripts are what a shell loads to ask so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def complete(argv: Sequence[str], hints: Mapping[str, Sequence[str]]) -> list[str]:
    """Return what may follow *argv*, whose first word is ``--completion-bash``.

    *hints* has the flags that the help shows, in its order, and values for each.
    """
    words = argv[1:]
    current = words[-1] if words else ""
    before = words[-2] if len(words) > 1 else ""
    if "--" in words[:-1]:
        return []  # only arguments follow, and no program here takes any
    if current.startswith("--"):
        name, value = current[2:], ""
    elif before.startswith("--"):
        name, value = before[2:], current
    else:
        return []
    if name not in hints:
        return [f"--{flag}" for flag in hints]
    offered = list(hints[name])
    longer = any(one != value and one.startswith(value) for one in offered)
    return [] if value in offered and not longer else offered


def bash_script(program: str) -> str:
    """Return what bash loads to complete the command line of *program*."""
    function = f"_{program}_bash_autocomplete"
    return f"""\
{function}() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}"
    local words=("${{COMP_WORDS[@]:1:$COMP_CWORD}}")
    local offered="$("${{COMP_WORDS[0]}}" --completion-bash "${{words[@]}}")"
    COMPREPLY=($(compgen -W "$offered" -- "$word"))
}}
complete -F {function} -o default {program}
"""


def zsh_script(program: str) -> str:
    """Return what zsh loads to complete the command line of *program*."""
    return f"""\
#compdef {program}

_{program}() {{
    local -a offered
    offered=($("${{words[1]}}" --completion-bash "${{(@)words[2,$CURRENT]}}"))
    compadd -a offered
    if (( compstate[nmatches] == 0 )) && [[ $words[CURRENT] != -* ]]; then
        _files
    fi
}}

if [[ "${{funcstack[1]}}" != "_{program}" ]]; then
    compdef _{program} {program}
fi
"""
