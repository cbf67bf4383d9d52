"""Where the text goes: stdout for lines, stderr for words about them."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from typing import TextIO
from zoneinfo import ZoneInfo

from .common import Common
from .errors import UsageError
from .flags import Options
from .lines import Line
from .paint import Painter, Style, without_echoes
from .safe import escaped


class Screen:
    """Prints lines to *out* and tells things on *err*, unless it is to be quiet."""

    def __init__(
        self, options: Options, environ: Mapping[str, str], out: TextIO, err: TextIO
    ) -> None:
        """Choose a style by *options* and by what *out* is. Raises UsageError."""
        self._out = out
        self._err = err
        self._quiet = options.quiet
        self._tells_common = options.output == "default" and not (
            options.no_labels or options.include_common_labels or options.include_labels
        )
        self._common = Common()
        self.style = style_of(options, environ, terminal=_is_terminal(out))
        self._painter = Painter(self.style, self._common)
        for stream in (out, err):
            if isinstance(stream, io.TextIOWrapper):
                # A terminal without UTF-8 shows what it can.
                stream.reconfigure(errors="backslashreplace")

    def lines(self, lines: list[Line], *, backward: bool = False) -> None:
        """Print *lines*, which are oldest first, and see that they are out."""
        if self._common.learn(lines) and self._tells_common:
            self._tell_common()
        line = self._painter.line
        self.text("".join(map(line, reversed(lines) if backward else lines)))

    def _tell_common(self) -> None:
        if labels := without_echoes(self._common.labels):
            self.tell(f"all have {self._painter.labels(labels)}")

    def text(self, text: str) -> None:
        """Print *text* and see that it is out."""
        self._out.write(text)
        self._out.flush()

    def tell(self, text: str) -> None:
        """Say *text*, one line, to the person."""
        if not self._quiet:
            self._err.write(escaped(text) + "\n")
            self._err.flush()


def style_of(options: Options, environ: Mapping[str, str], *, terminal: bool) -> Style:
    """Return the style for *options*. Raises UsageError for a zone nobody knows."""
    wanted = terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    return Style(
        output=options.output,
        zone=zone_of(options.timezone),
        colours=options.colored or wanted,
        plain=options.output == "raw" and not terminal,
        no_labels=options.no_labels,
        include_common=options.include_common_labels,
        include=options.include_labels,
        exclude=options.exclude_labels,
    )


def zone_of(name: str) -> ZoneInfo | None:
    """Return the time zone *name*, None for Local. Raises UsageError."""
    if name.lower() == "local":
        return None
    try:
        return ZoneInfo("UTC" if name.upper() == "UTC" else name)
    except (OSError, ValueError, LookupError):
        raise UsageError(
            f"--timezone: {name!r} is not known here",
            "write Local, UTC or a name like Europe/Berlin",
        ) from None


def _is_terminal(out: TextIO) -> bool:
    with contextlib.suppress(ValueError):
        return out.isatty()
    return False
