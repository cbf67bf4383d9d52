"""What a LogQL text is refused with, in Loki's words (pkg/logqlmodel/error.go)."""

from __future__ import annotations


class LogQLError(ValueError):
    """Report a query that cannot be used; the text is what Loki would answer."""

    @classmethod
    def at(cls, line: int, column: int, text: str) -> LogQLError:
        """Return a parse error with its place; line 0 and column 0 mean no place."""
        if line == 0 and column == 0:
            return cls(f"parse error : {text}")
        return cls(f"parse error at line {line}, col {column}: {text}")
