"""Durations of the command line that are not negative: ``5s``, ``1m30s``, ``0``."""

from __future__ import annotations

from exporters.toolkit.duration import format_go_duration, parse_go_duration


def parse_positive_duration(text: str) -> float:
    """Return the Go duration *text* in seconds; raise ValueError below zero.

    The texts are those of upstream's parsePositiveDuration (exporter.go), whose value
    then never arrives (createPositiveDurationFlag copies it): there --nginx.timeout
    has no effect.
    """
    try:
        seconds = parse_go_duration(text)
    except ValueError as error:
        raise ValueError(f'failed to parse duration "{text}": {error}') from error
    if seconds < 0:
        raise ValueError(
            f"negative duration {format_go_duration(seconds)} is not valid"
        )
    return seconds
