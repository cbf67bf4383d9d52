"""Ask an NTP server for the time, once (beevik/ntp; RFC 4330, RFC 5905).

Times are nanoseconds in an int, as Go's; the arithmetic is that of 64-bit integers, so
that the same answer gives the same float64.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from typing import NamedTuple


LEAP_ADD, LEAP_DELETE, LEAP_UNKNOWN = 1, 2, 3

NANOSECONDS = 10**9
_1900_TO_1970 = 2_208_988_800
# An era is 2**32 s; the second begins on 2036-02-07. A time before 1970 is of that one.
_ERA_SECONDS = 2**32
_CLIENT, _SERVER = 3, 4
_PRECISION = 0x20  # what clients that hide their own send
_RECEIVE_BYTES = 8192
_MASK = 2**64 - 1

# leap+version+mode, stratum, poll, precision, root delay and dispersion, reference id;
# then the times of reference, origin, receive and transmit as 32.32 bit fractions.
_PACKET = struct.Struct("> B B b b I I I Q Q Q Q")

_MAX_STRATUM = 16
_STALE = (1 << 17) * NANOSECONDS
_MAX_DISPERSION = 16 * NANOSECONDS


class Answer(NamedTuple):
    """What the server said, and what follows from when it came. All times in ns.

    *time* and *reference_time* are since 1970; *min_error* is by how much the four
    times of the exchange contradict each other.
    """

    leap: int
    stratum: int
    time: int
    reference_time: int
    root_delay: int
    root_dispersion: int
    rtt: int
    offset: int
    min_error: int

    @property
    def root_distance(self) -> int:
        """Return the greatest error that all delays up to the primary source allow."""
        return (self.rtt + self.root_delay) // 2 + self.root_dispersion

    def problem(self) -> str | None:
        """Return why no clock may be set by this answer, None if it may (RFC 5905)."""
        lambda_ = self.root_delay // 2 + self.root_dispersion
        checks = (
            (self.stratum == 0, "kiss of death received"),
            (self.stratum >= _MAX_STRATUM, "invalid stratum in response"),
            (self.time - self.reference_time > _STALE, "server clock not fresh"),
            (lambda_ > _MAX_DISPERSION, "invalid dispersion in response"),
            (self.time < self.reference_time, "invalid time reported"),
            (self.leap == LEAP_UNKNOWN, "invalid leap second in response"),
        )
        return next((reason for is_wrong, reason in checks if is_wrong), None)


def request(version: int, cookie: int) -> bytes:
    """Return the packet that asks for the time; *cookie* must come back as origin."""
    first = version << 3 | _CLIENT
    return _PACKET.pack(first, 0, 0, _PRECISION, 0, 0, 0, 0, 0, 0, cookie)


def parse(data: bytes, cookie: int, sent: int, received: int) -> Answer:
    """Return what *data*, the answer to the request with *cookie*, says.

    *sent* and *received* are ns since 1970 by the local clock. Raises ValueError.
    """
    if len(data) < _PACKET.size:
        raise ValueError(f"expected {_PACKET.size} bytes, got {len(data)}")
    first, stratum, _, _, delay, dispersion, _, reference, origin, receive, transmit = (
        _PACKET.unpack_from(data)
    )
    if first & 7 != _SERVER:
        raise ValueError("invalid mode in response")
    if transmit == 0:
        raise ValueError("invalid transmit time in response")
    if origin != cookie:
        raise ValueError("server response didn't match request")
    if receive > transmit:
        raise ValueError("server clock ticked backwards")
    left, came = _timestamp(sent), _timestamp(received)
    return Answer(
        leap=first >> 6,
        stratum=stratum,
        time=_since_1970(transmit),
        reference_time=_since_1970(reference),
        root_delay=_nanoseconds(delay, 16),
        root_dispersion=_nanoseconds(dispersion, 16),
        rtt=_rtt(left, receive, transmit, came),
        offset=_offset(left, receive, transmit, came),
        min_error=_min_error(left, receive, transmit, came),
    )


def _nanoseconds(fixed: int, bits: int) -> int:
    """Return a fixed-point number of seconds with *bits* of fraction, in ns."""
    product = (fixed & (1 << bits) - 1) * NANOSECONDS
    rounding = product >> (bits - 1) & 1
    return (fixed >> bits) * NANOSECONDS + (product >> bits) + rounding


def _since_1970(timestamp: int) -> int:
    seconds = _1900_TO_1970
    if timestamp < _1900_TO_1970 << 32:
        seconds -= _ERA_SECONDS
    return _nanoseconds(timestamp, 32) - seconds * NANOSECONDS


def _timestamp(nanoseconds: int) -> int:
    """Return a local time as NTP's fraction, rounded half up."""
    seconds, rest = divmod(nanoseconds + _1900_TO_1970 * NANOSECONDS, NANOSECONDS)
    fraction, rest = divmod(rest << 32, NANOSECONDS)
    return (seconds << 32 | fraction + (2 * rest >= NANOSECONDS)) & _MASK


def _signed(number: int) -> int:
    """Return *number* as a 64-bit integer that wraps around: eras do."""
    return (number + 2**63 & _MASK) - 2**63


def _rtt(sent: int, receive: int, transmit: int, received: int) -> int:
    span = _signed(_signed(received - sent) - _signed(transmit - receive))
    return _nanoseconds(max(0, span), 32)


def _offset(sent: int, receive: int, transmit: int, received: int) -> int:
    there, back = _signed(receive - sent), _signed(transmit - received)
    difference = _signed(back - there)
    half = abs(difference) // 2  # Go's division goes towards zero
    offset = _signed(there + (half if difference >= 0 else -half))
    nanoseconds = _nanoseconds(abs(offset), 32)
    return nanoseconds if offset >= 0 else -nanoseconds


def _min_error(sent: int, receive: int, transmit: int, received: int) -> int:
    early, late = max(0, sent - receive), max(0, transmit - received)
    return _nanoseconds(max(early, late), 32)


def split_address(address: str, default_port: int) -> tuple[str, str]:
    """Return host and port of *address*: host, host:port, [v6], [v6]:port or v6.

    Raises ValueError.
    """
    port = str(default_port)
    if not address:
        raise ValueError("address string is empty")
    if address.startswith("["):
        host, bracket, rest = address[1:].partition("]")
        if not bracket:
            raise ValueError("missing ']' in address")
        if rest and not rest.startswith(":"):
            raise ValueError("unexpected character following ']' in address")
        return host, rest[1:] or port
    if address.count(":") == 1:
        host, _, port = address.partition(":")
        return host, port
    return address, port


def ask(
    host: str, port: str, *, version: int, ttl: int, timeout_seconds: float
) -> Answer:
    """Return the answer of the server at *host* and *port*.

    *ttl* is the number of hops that the question may make, 0 the system's own. Raises
    OSError (TimeoutError past *timeout_seconds*) and ValueError.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    found.sort(key=lambda one: one[0] != socket.AF_INET)  # as Go prefers
    family, _, _, _, where = found[0]
    cookie = int.from_bytes(os.urandom(8), "big")
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as connection:
        if ttl:
            # Over IPv6 it is accepted and has no effect; upstream sets no other.
            connection.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        connection.settimeout(timeout_seconds)
        connection.connect(where)
        sent = time.time_ns()
        connection.send(request(version, cookie))
        data = connection.recv(_RECEIVE_BYTES)
        received = max(sent, time.time_ns())
    return parse(data, cookie, sent, received)
