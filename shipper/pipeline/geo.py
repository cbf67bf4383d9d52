"""What a MaxMind record says, as labels (geoip2-golang City and ASN)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final

from exporters.toolkit.gotext import format_float


Address = IPv4Address | IPv6Address
Pair = tuple[str, Any]


def parse_address(text: str) -> Address:
    """Return the address that *text* is, an IPv4 one even if written as IPv6.

    Raises ValueError; a zone (``fe80::1%eth0``) is none of Go's net.ParseIP.
    """
    if "%" in text:
        raise ValueError(f"{text!a} has a zone")
    address = ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def labels_of(db_type: str, record: Any) -> dict[str, str]:
    """Return what *record* says for a database of *db_type*; what is empty is not said.

    A database of another type has other keys, and so gives nothing.
    """
    if not isinstance(record, Mapping):
        return {}
    found = _READERS[db_type](record)
    return {name: text for name, value in found if (text := _text(value))}


def _text(value: Any) -> str:
    """Return a name or a number as text, anything else, and 0, as nothing."""
    if isinstance(value, str):
        return value
    is_number = isinstance(value, int) and not isinstance(value, bool) and value
    return str(value) if is_number else ""


def _city(record: Mapping[str, Any]) -> Iterator[Pair]:
    yield "geoip_city_name", _at(record, "city", "names", "en")
    yield "geoip_country_name", _at(record, "country", "names", "en")
    yield "geoip_continent_name", _at(record, "continent", "names", "en")
    yield "geoip_continent_code", _at(record, "continent", "code")
    yield "geoip_postal_code", _at(record, "postal", "code")
    yield "geoip_timezone", _at(record, "location", "time_zone")
    yield from _location(record)
    regions = record.get("subdivisions")
    if isinstance(regions, list) and regions:  # the last one is the smallest
        yield "geoip_subdivision_name", _at(regions[-1], "names", "en")
        yield "geoip_subdivision_code", _at(regions[-1], "iso_code")


def _location(record: Mapping[str, Any]) -> Iterator[Pair]:
    latitude = _at(record, "location", "latitude") or 0.0
    longitude = _at(record, "location", "longitude") or 0.0
    are_numbers = isinstance(latitude, float) and isinstance(longitude, float)
    if are_numbers and (latitude or longitude):
        yield "geoip_location_latitude", format_float(latitude)
        yield "geoip_location_longitude", format_float(longitude)


def _asn(record: Mapping[str, Any]) -> Iterator[Pair]:
    for key in ("autonomous_system_number", "autonomous_system_organization"):
        yield f"geoip_{key}", record.get(key)


def _at(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Iterator[Pair]]]] = {
    "city": _city,
    "asn": _asn,
}
DATABASE_TYPES: Final = frozenset(_READERS)
