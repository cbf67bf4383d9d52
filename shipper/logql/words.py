"""The words of LogQL (Loki pkg/logql/syntax/lex.go: tokens, functionTokens)."""

from __future__ import annotations

import re
from typing import Final


RANGE_FUNCTIONS: Final = frozenset(
    {
        "rate",
        "rate_counter",
        "count_over_time",
        "bytes_rate",
        "bytes_over_time",
        "avg_over_time",
        "sum_over_time",
        "min_over_time",
        "max_over_time",
        "stdvar_over_time",
        "stddev_over_time",
        "quantile_over_time",
        "first_over_time",
        "last_over_time",
        "absent_over_time",
    }
)
VECTOR_FUNCTIONS: Final = frozenset(
    "sum avg max min count stddev stdvar bottomk topk sort sort_desc "  # noqa: SIM905  a word list
    "approx_topk".split()
)
# Words only before "(", "by (" or "without ("; a label may be named like one.
_FUNCTIONS: Final = {
    **{name: name.upper() for name in (*RANGE_FUNCTIONS, *VECTOR_FUNCTIONS, "vector")},
    **{name: f"{name.upper()}_CONV" for name in ("bytes", "duration")},
    "duration_seconds": "DURATION_SECONDS_CONV",
    **{name: name for name in ("ip", "label_replace")},
}
# Always words: no label in a query can be named like one.
_ALWAYS: Final = frozenset(
    "by without bool offset on ignoring group_left group_right or and unless json "  # noqa: SIM905  a word list
    "regexp logfmt unpack pattern label_format line_format decolorize drop keep "
    "unwrap".split()
)
_CALL: Final = re.compile(r"\s*(?:\(|(?:by|without)\s*\()", re.IGNORECASE)


def word_kind(text: str, end: int, word: str) -> str | None:
    """Return the token kind of *word*, which ends at *end* of *text*, None for a name.

    Kinds are spelled as Loki's errors spell them. Case does not matter.
    """
    lower = word.lower()
    if lower in _FUNCTIONS:
        return _FUNCTIONS[lower] if _CALL.match(text, end) else None
    return lower if lower in _ALWAYS else None
