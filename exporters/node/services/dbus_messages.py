"""Calls and replies of D-Bus, as far as scrapes need them; pure (D-Bus specification).

Import this only for a collector that is switched on: jeepney is behind it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import jeepney  # type: ignore[import-untyped]


T = TypeVar("T")

Answer = tuple[Any, ...]
"""The arguments of a reply."""

_PROPERTIES = "org.freedesktop.DBus.Properties"
# What jeepney raises for bytes that are no D-Bus.
_NOT_DBUS = (
    AssertionError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)


class DBusError(ValueError):
    """Report that the peer answered a call with an error."""


class Service(NamedTuple):
    """Whom to ask: a name on the bus, the root of its objects and its interfaces."""

    name: str
    path: str

    def call(self, method: str) -> jeepney.Message:
        """Return the call of *method* of the service's ``Manager`` interface."""
        address = jeepney.DBusAddress(self.path, self.name, f"{self.name}.Manager")
        return jeepney.new_method_call(address, method)

    def get(self, path: str, interface: str, name: str) -> jeepney.Message:
        """Return the call that asks the object at *path* for a property.

        *interface* is without the service's name. Raises ValueError for a bad path.
        """
        address = jeepney.DBusAddress(path, self.name, _PROPERTIES)
        wanted = (f"{self.name}.{interface}", name)
        return jeepney.new_method_call(address, "Get", "ss", wanted)


Reply = Answer | DBusError


def arguments(reply: Reply) -> Answer:
    """Return what came with *reply*. Raises DBusError if it says what went wrong."""
    if isinstance(reply, DBusError):
        raise reply
    return reply


def value(reply: Reply, signature: str) -> Any:
    """Return the value of a property of the type *signature*.

    Raises DBusError and, for another type, ValueError.
    """
    match arguments(reply):
        case ((str(kind), found),) if kind == signature:
            return found
    raise ValueError(
        f"dbus: expected a property of type {signature}, got {reply!r:.80}"
    )


def read_reply(message: jeepney.Message) -> Reply:
    """Return what *message*, a method return or an error, says."""
    body: Answer = message.body
    if message.header.message_type is not jeepney.MessageType.error:
        return body
    name = message.header.fields.get(jeepney.HeaderFields.error_name)
    text = body[0] if body and isinstance(body[0], str) else name
    return DBusError(text)


def parsed(parse: Callable[..., T]) -> T:
    """Return what *parse*, of jeepney, gives. Raises nothing but ValueError."""
    try:
        return parse()
    except _NOT_DBUS as error:
        raise ValueError(f"dbus: the peer does not speak D-Bus: {error!r}") from error
