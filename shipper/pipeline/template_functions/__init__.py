"""What a template may call: sprig's functions, and promtail's own above them.

sprig's come from the package gotpl; replaced here is what has to be RE2, to keep bytes
that are no UTF-8, to be bounded, or to print what is missing as Go does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from . import bounds, printing, regex, strict, text, times


REFUSED: Final = frozenset({
    "bcrypt",
    "buildCustomCert",
    "decryptAES",
    "derivePassword",
    "encryptAES",
    "genCA",
    "genCAWithKey",
    "genPrivateKey",
    "genSelfSignedCert",
    "genSelfSignedCertWithKey",
    "genSignedCert",
    "genSignedCertWithKey",
    "getHostByName",
    "htpasswd",
})  # fmt: skip
"""What would hold up every line for a name server or a key."""


def functions() -> dict[str, Callable[..., Any]]:
    """Return everything that can be called, by name; imports gotpl."""
    from gotpl.funcs.sprig import text_func_map  # noqa: PLC0415

    sprig: dict[str, Callable[..., Any]] = dict(text_func_map())
    for name in REFUSED & sprig.keys():
        del sprig[name]
    everything = {
        **strict.strict(bounds.bounded(sprig)),
        **times.with_methods(sprig),
        **text.FUNCTIONS,
        **regex.FUNCTIONS,
        **printing.FUNCTIONS,
    }
    return {name: bounds.guarded(call) for name, call in everything.items()}
