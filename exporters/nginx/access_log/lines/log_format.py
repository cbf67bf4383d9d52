r"""Read a ``log_format`` as it stands in nginx.conf.

People copy it: the strings that nginx joins, the ``escape=`` in front of them, or the
whole directive. Without any of that it is the text of the lines itself; there, too,
``\t`` is a tab, which nobody types.
nginx source: src/core/ngx_conf_file.c, ngx_conf_read_token.
"""

from __future__ import annotations

import re
from typing import Final

from exporters.toolkit.errors import StartError


# The directive and its name, then the parameter: either may be missing.
_HEAD: Final = re.compile(
    r"\s*(?P<directive>log_format\s+\S+\s+)?(?P<escape>escape=\w+\s+)?"
)
_TOKEN: Final = re.compile(
    r"""\s+ | \#[^\n]*
    | '(?P<single>(?:[^'\\]|\\.)*+)'(?=[\s;]|$)
    | "(?P<double>(?:[^"\\]|\\.)*+)"(?=[\s;]|$)
    | (?P<bare>[^\s;'"][^\s;]*+)
    | (?P<end>;\s*+)$""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED: Final = re.compile(r"""\\([tnr"'\\])""")
_CONTROLS: Final = {"t": "\t", "n": "\n", "r": "\r"}


def line_format(text: str) -> str:
    """Return the format of a line that *text* asks for.

    Raises StartError for strings that nginx would not read.
    """
    head = _HEAD.match(text)
    assert head is not None  # it may be empty
    rest = text[head.end() :]
    if head["directive"] or rest[:1] == "'":
        return _joined(rest)
    # Double quotes may well be those of the line, $request's for example; but a line
    # has no end in its middle, and no semicolon behind its last quote.
    is_double = head["escape"] or "\n" in rest.strip() or rest.rstrip().endswith('";')
    if rest[:1] == '"' and is_double:
        return _joined(rest)
    line = rest if head["escape"] else text
    return line.strip("\r\n").replace(r"\t", "\t")  # a block of YAML ends in "\n"


def _joined(text: str) -> str:
    parts: list[str] = []
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise StartError(
                "access log format: expected strings in quotes and one ; at most, as "
                f"in nginx.conf; cannot read on at {text[position : position + 20]!r}"
            )
        parts += [each for each in token.group("single", "double", "bare") if each]
        position = token.end()
    return _ESCAPED.sub(lambda found: _CONTROLS.get(found[1], found[1]), "".join(parts))
