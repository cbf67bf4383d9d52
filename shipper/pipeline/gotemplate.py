"""Go's text/template with what promtail's templates may call.

The language is the package gotpl's. It is imported with the first template that is not
plain: that takes 0.2 s and 9 MiB, which others must not pay for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, Final, NoReturn

from .plain_template import Unsure, plain_template
from .template_functions import REFUSED, functions
from .template_functions.bounds import MAX_CHARACTERS


_MAX_STEPS: Final = 100_000
_MAX_DEPTH: Final = 100  # of templates that call templates; each costs Python's stack
_STRINGS: Final = r'"(?:[^"\\\n]|\\.)*"|`[^`]*`'
_ACTION: Final = re.compile(rf"\{{\{{(?!-?\s*/\*)(?:{_STRINGS}|[^\"`])*?\}}\}}")
_NOW: Final = re.compile(rf"{_STRINGS}|(?<![\w.$])(?P<now>now)(?=\.[A-Z])")
_PLACE: Final = re.compile(r"^template:(\d+):\d+: ")
_UNDEFINED: Final = re.compile(r"function '(\w+)' not defined")


class _Text(str):
    """A text without fields: gotpl would offer the methods of Python's."""

    __slots__ = ()

    def __gotemplate_lookup__(self, name: str) -> NoReturn:
        """Refuse, as Go does."""
        raise TemplateError(f"can't evaluate field {name} in type string")


class TemplateError(ValueError):
    """Report a template that cannot be parsed, or not be rendered with a value."""


class Template:
    """A compiled template; *fields* are all that it looks at, None: any."""

    __slots__ = ("_plain", "_render", "_text", "fields")

    def __init__(self, text: str) -> None:
        """Compile *text*. Raises TemplateError."""
        self._text = text
        self._plain = plain_template(text)
        self._render: Callable[[Mapping[str, str]], str] | None = None
        self.fields = None if self._plain is None else self._plain.fields
        if self._plain is None:
            self._render = _compiled(text)

    def render(self, values: Mapping[str, str]) -> str:
        """Return the text for the fields *values*. Raises TemplateError."""
        if self._plain is not None:
            try:
                return self._plain.render(values)
            except Unsure:
                pass
        if self._render is None:
            self._render = _compiled(self._text)
        try:
            return self._render({key: _Text(values[key]) for key in values})
        except Exception as error:  # noqa: BLE001 - no line may be a traceback
            raise TemplateError(_one_line(str(error))) from None


def _compiled(text: str) -> Callable[[Mapping[str, str]], str]:
    """Return what renders *text*, as the package does. Raises TemplateError."""
    try:
        source = _ACTION.sub(_with_calls, text)
        render: Callable[[Mapping[str, str]], str]
        render = _environment().from_string(source, name=_NAME).render
    except RecursionError:
        raise TemplateError(f"template: {_NAME}: nested too deeply") from None
    except Exception as error:  # noqa: BLE001 - no text may be a traceback
        raise TemplateError(_parse_error(error)) from None
    return render


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
    return gotpl.Environment(functions=callable_, budget=budget)


def _with_calls(action: re.Match[str]) -> str:
    """Return *action* with ``now.Unix`` as ``(now).Unix``, which gotpl understands."""
    return _NOW.sub(lambda found: "(now)" if found["now"] else found[0], action[0])


def _parse_error(error: Exception) -> str:
    text = _PLACE.sub(rf"template: {_NAME}:\1: ", _one_line(str(error)))
    undefined = _UNDEFINED.search(text)
    if undefined and undefined[1] in REFUSED:
        text += " here: it would hold up every line"
    return _UNDEFINED.sub(r'function "\1" not defined', text)


def _one_line(text: str) -> str:
    return " ".join(text.split())
