"""Go's text/template with what promtail's templates may call.

The language is the package gotpl's. It is imported with the first template: that takes
0.2 s and 15 MiB, which a shipper without templates must not pay for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, Final

from .template_functions import REFUSED, functions
from .template_functions.bounds import MAX_CHARACTERS


_MAX_STEPS: Final = 100_000
_MAX_DEPTH: Final = 100  # of templates that call templates; each costs Python's stack
_PLACE: Final = re.compile(r"^template:(\d+):\d+: ")
_UNDEFINED: Final = re.compile(r"function '(\w+)' not defined")


class TemplateError(ValueError):
    """Report a template that cannot be parsed, or not be rendered with a value."""


class Template:
    """A compiled template."""

    __slots__ = ("_render",)

    def __init__(self, text: str) -> None:
        """Compile *text*. Raises TemplateError."""
        try:
            self._render = _environment().from_string(text, name=_NAME).render
        except RecursionError:
            raise TemplateError(f"template: {_NAME}: nested too deeply") from None
        except Exception as error:  # noqa: BLE001 - no text may be a traceback
            raise TemplateError(_parse_error(error)) from None

    def render(self, values: Mapping[str, Any]) -> str:
        """Return the text for the fields *values*. Raises TemplateError."""
        try:
            text: str = self._render(values)
        except Exception as error:  # noqa: BLE001 - nor may a line
            raise TemplateError(_one_line(str(error))) from None
        return text


_NAME: Final = "pipeline_template"


@lru_cache(maxsize=64)
def compile_template(text: str) -> Template:
    """Return the template *text*. Raises TemplateError, in Go's words where known."""
    return Template(text)


@cache
def _environment() -> Any:
    import gotpl  # noqa: PLC0415

    callable_ = functions()
    budget = gotpl.ExecutionBudget(MAX_CHARACTERS, _MAX_STEPS, _MAX_DEPTH, _MAX_STEPS)
    # The policy keeps templates off the attributes of Python's values.
    policy = gotpl.SandboxPolicy(
        allow_functions=callable_, allow_custom_lookup=True, default_budget=budget
    )
    return gotpl.Environment(functions=callable_, sandbox=policy)


def _parse_error(error: Exception) -> str:
    text = _PLACE.sub(rf"template: {_NAME}:\1: ", _one_line(str(error)))
    undefined = _UNDEFINED.search(text)
    if undefined and undefined[1] in REFUSED:
        text += " here: it would hold up every line"
    return _UNDEFINED.sub(r'function "\1" not defined', text)


def _one_line(text: str) -> str:
    return " ".join(text.split())
