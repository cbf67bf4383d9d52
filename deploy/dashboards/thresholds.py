"""From which value on a number is a worry."""

from __future__ import annotations

from dataclasses import dataclass

from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.dashboard import (
    DashboardSpecialValueMapOptions,
    SpecialValueMap,
    SpecialValueMatch,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Colours of a value: *steps* are (from here on, colour)."""

    base: str
    steps: tuple[tuple[float, str], ...] = ()

    def build(self) -> ThresholdsConfig:
        """Return what Grafana takes; the first step has no lower end."""
        first = Threshold(value=None, color=self.base)
        rest = [Threshold(value=value, color=color) for value, color in self.steps]
        return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([first, *rest])


def above(warning: float, bad: float) -> Limits:
    """Return limits for what should stay low."""
    return Limits("green", ((warning, "orange"), (bad, "red")))


def below(warning: float, bad: float) -> Limits:
    """Return limits for what should stay high."""
    return Limits("red", ((bad, "orange"), (warning, "green")))


NEUTRAL = Limits("blue")
ZERO_IS_GOOD = Limits("green", ((0.000001, "red"),))
ONE_IS_GOOD = Limits("red", ((1, "green"),))


def up_or_down() -> list[ValueMapping]:
    """Return the words for 1, 0 and for no sample at all, which is no good sign."""
    words = {
        "1": ValueMappingResult(text="UP", color="green", index=0),
        "0": ValueMappingResult(text="DOWN", color="red", index=1),
    }
    unknown = ValueMappingResult(text="NO DATA", color="red", index=2)
    nothing = DashboardSpecialValueMapOptions(
        match=SpecialValueMatch.NULL_AND_NAN, result=unknown
    )
    return [ValueMap(options=words), SpecialValueMap(options=nothing)]
