"""Put off the import of modules of the standard library until something is used.

asyncio imports ``ssl``, 4.3 MiB with OpenSSL, for connections with TLS, and
``inspect``, 1 MiB, for its debug mode. Without them a Python that has asyncio and
logging takes 13.7 MiB instead of 18.9, and 51 ms of CPU at the start instead of 72. Go
links them in; this has no upstream counterpart.
"""

from __future__ import annotations

import functools
import importlib
import importlib.machinery
import sys
import threading
from types import CodeType, ModuleType
from typing import Any, Final


# asyncio.sslproto takes two names from ssl as it is imported itself.
HEAVY: Final = ("ssl", "asyncio.sslproto", "inspect")

_lock = threading.Lock()


_CO_COROUTINE: Final = 0x80  # inspect.CO_COROUTINE


class _NoSuchSocket:
    """What nothing is an instance of."""


def _is_coroutine_function(function: Any) -> bool:
    """Return whether *function* is made by ``async def``, as inspect tells it."""
    while isinstance(function, functools.partial):
        function = function.func
    function = getattr(function, "__func__", function)  # of a method
    code = getattr(function, "__code__", None)
    return isinstance(code, CodeType) and bool(code.co_flags & _CO_COROUTINE)


def _decorate(function: Any, caller: Any) -> Any:
    """Return *function* decorated, as prometheus_client does it."""
    real = _Deferred("prometheus_client.decorator").load()
    return real.decorate(function, caller)


# What asyncio asks without need: it makes sure of every socket that it is no SSLSocket,
# and there are none yet; and of a handler of signals, that it is no coroutine function.
# prometheus_client takes a function, for decorators that nobody here uses; its module
# asks inspect.
_UNTIL_LOADED: Final = {
    ("ssl", "SSLSocket"): _NoSuchSocket,
    ("inspect", "iscoroutinefunction"): _is_coroutine_function,
    ("prometheus_client.decorator", "decorate"): _decorate,
}


def defer(*names: str) -> None:
    """Let ``import`` find the modules *names* without loading them.

    Each is loaded when an attribute of it is asked for, from then on as if it always
    had been. Call it first of all: what is loaded already stays.
    """
    for name in names:
        sys.modules.setdefault(name, _Deferred(name))


def defer_package(name: str) -> None:
    """Let submodules of the package *name* be imported without its ``__init__``.

    That runs when an attribute of the package itself is asked for. prometheus_client's
    imports a server of HTTP and ssl, 6 MiB, for who shows metrics without us.
    """
    spec = importlib.machinery.PathFinder.find_spec(name)
    if spec is not None and name not in sys.modules:
        package = _DeferredPackage(name)
        package.__path__ = spec.submodule_search_locations or []
        sys.modules[name] = package


class _Deferred(ModuleType):
    """Stand for the module of the same name."""

    def __getattr__(self, attribute: str) -> Any:
        # Import itself asks for some of these, and whoever walks over sys.modules.
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        known = _UNTIL_LOADED.get((self.__name__, attribute))
        return known or getattr(self.load(), attribute)

    def load(self) -> ModuleType:
        """Return the real module, imported now if it was not yet."""
        name = self.__name__
        with _lock:  # not while it is imported: import has locks of its own
            if isinstance(sys.modules.get(name), _Deferred):
                del sys.modules[name]
        real = importlib.import_module(name)
        for given, value in vars(self).items():  # the submodules of a package
            if isinstance(value, ModuleType):
                vars(real).setdefault(given, value)
        vars(self).update(vars(real))
        return real


class _DeferredPackage(_Deferred):
    """Stand for the package of the same name."""

    def __getattr__(self, attribute: str) -> Any:
        name = f"{self.__name__}.{attribute}"
        if not attribute.startswith("__"):
            try:  # "from . import values", within the package
                return importlib.import_module(name)
            except ModuleNotFoundError as error:
                if error.name != name:
                    raise
        return super().__getattr__(attribute)
