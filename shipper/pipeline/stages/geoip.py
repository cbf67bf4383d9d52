"""``geoip``: label lines with where an address is (promtail stages/geoip.go).

Needs the optional package maxminddb and a database of MaxMind's format.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from exporters.toolkit.decode import Problem
from shipper.loki.quiet import Quiet
from shipper.pipeline.geo import DATABASE_TYPES, labels_of, parse_address
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop
from shipper.pipeline.values import text_of


if TYPE_CHECKING:
    import maxminddb


log = logging.getLogger(__name__)

INSTALL: Final = "geoip needs maxminddb: pip install 'monitoring-exporters[geoip]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The database, what kind it is, and what the address was extracted as."""

    db: str = ""
    source: str | None = None
    db_type: str = ""

    def problems(self) -> Iterator[Problem]:
        if self.source == "":
            yield Problem("source cannot be empty", ("source",))
        if self.db_type not in DATABASE_TYPES:
            yield Problem("db type should be either city or asn", ("db_type",))
        if not self.db:
            yield Problem("db path cannot be empty", ("db",))
            return
        try:
            _open(self.db).close()
        except ImportError:
            yield Problem(INSTALL)
        except (OSError, ValueError) as error:
            yield Problem(f"cannot read the database {self.db}: {error}", ("db",))

    def build(self, workshop: Workshop) -> Filter:
        """Return the stage."""
        if self.source is None:  # promtail starts too, and logs an error per line
            log.warning("a geoip stage without source does nothing")
        return _GeoIP(self, workshop)


def _open(path: str) -> maxminddb.Reader:
    """Open the database. Raises ImportError, OSError, ValueError."""
    import maxminddb  # noqa: PLC0415 -- optional, and only for who has the stage

    try:
        return maxminddb.open_database(path)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 -- whatever is in that file
        raise ValueError(str(error) or type(error).__name__) from None


class _GeoIP(Filter):
    """Sets the labels that are known of the address; no line is dropped."""

    def __init__(self, config: Config, workshop: Workshop) -> None:
        self._reader = _open(config.db)
        self._db_type = config.db_type
        self._source = config.source
        self._quiet = Quiet(workshop.monotonic)

    def apply(self, record: Record) -> bool:
        if self._source is None:
            return True
        text = text_of(record.extracted.get(self._source))
        if text is not None:
            try:
                found = self._reader.get(parse_address(text))
            except Exception as error:  # noqa: BLE001 -- whatever is in that file
                self._warn(text, error)
            else:
                found_labels = labels_of(self._db_type, found)
                record.labels = record.labels.having(found_labels)
        return True

    def _warn(self, address: str, error: Exception) -> None:
        suppressed = self._quiet.may_say("lookup")
        if suppressed is not None:
            fields = {
                "ip": address[:100],
                "error": str(error),
                "suppressed": suppressed,
            }
            log.warning("unable to get record for the ip", extra={"fields": fields})
