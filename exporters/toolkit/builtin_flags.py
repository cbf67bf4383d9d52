"""The flags that kingpin gives every program: help, version, completion.

Upstream counterpart: kingpin ``app.go``, New and Version.
"""

from __future__ import annotations

from .kinds import boolean


VERSION = boolean("version", "Show application version.")
HELP = boolean(
    "help",
    "Show context-sensitive help (also try --help-long and --help-man).",
)
HELP_LONG = boolean("help-long", "Generate long help.", hidden=True)
HELP_MAN = boolean("help-man", "Generate a man page.", hidden=True)
COMPLETION = boolean(
    "completion-bash", "Output possible completions for the given args.", hidden=True
)
BASH_SCRIPT = boolean(
    "completion-script-bash", "Generate completion script for bash.", hidden=True
)
ZSH_SCRIPT = boolean(
    "completion-script-zsh", "Generate completion script for ZSH.", hidden=True
)
BUILT_IN = (
    HELP,
    HELP_LONG,
    HELP_MAN,
    COMPLETION,
    BASH_SCRIPT,
    ZSH_SCRIPT,
    VERSION,
)
NAMES = frozenset(flag.name for flag in BUILT_IN)
HIDDEN_HELP = NAMES - {HELP.name, VERSION.name}
