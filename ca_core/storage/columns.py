"""Column types that both databases keep alike: what goes in comes out, to the microsecond and the octet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Integer, String
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from ca_core.domain.errors import IntegrityAlarm
from ca_core.domain.identifiers import Serial

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Since 1970: how SQLite keeps it."""
    return (moment - _EPOCH) // _MICROSECOND


class Moment(TypeDecorator[datetime]):
    """An aware moment, UTC: timestamptz on PostgreSQL, microseconds since 1970 on SQLite, so that both sort."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(TIMESTAMP(timezone=True) if dialect.name == "postgresql" else BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without its time zone")
        if value is None or dialect.name == "postgresql":
            return value
        return microseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value if dialect.name == "postgresql" else _EPOCH + value * _MICROSECOND
        return moment.astimezone(UTC)


class Duration(TypeDecorator[timedelta]):
    """A length of time, in microseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: Dialect) -> int | None:
        return None if value is None else value // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> timedelta | None:
        return None if value is None else value * _MICROSECOND


class Choice(TypeDecorator[StrEnum]):
    """One member of an enumeration of words."""

    impl = String
    cache_ok = True

    def __init__(self, kind: type[StrEnum] = StrEnum) -> None:
        super().__init__(32)
        self.kind = kind

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.kind(value)


class Number(TypeDecorator[IntEnum]):
    """One member of an enumeration of numbers."""

    impl = Integer
    cache_ok = True

    def __init__(self, kind: type[IntEnum] = IntEnum) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: IntEnum | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> IntEnum | None:
        return None if value is None else self.kind(value)


class Words(TypeDecorator[frozenset[StrEnum]]):
    """A set of members of an enumeration of words, sorted, between spaces: `` operator reviewer ``."""

    impl = String
    cache_ok = True

    def __init__(self, kind: type[StrEnum] = StrEnum) -> None:
        super().__init__(1000)
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        if value is None or isinstance(value, str):  # a pattern for LIKE goes through as it is
            return value
        return f" {' '.join(sorted(value))} "

    def process_result_value(self, value: str | None, dialect: Dialect) -> frozenset[StrEnum] | None:
        return None if value is None else frozenset(self.kind(word) for word in value.split())


class Ids(TypeDecorator[frozenset[UUID]]):
    """A small set of identifiers, as a JSON list."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: frozenset[UUID] | None, dialect: Dialect) -> list[str] | None:
        return None if value is None else sorted(str(one) for one in value)

    def process_result_value(self, value: list[str] | None, dialect: Dialect) -> frozenset[UUID] | None:
        return None if value is None else frozenset(UUID(one) for one in value)


class Document(TypeDecorator[Mapping[str, Any]]):
    """A JSON object; kept as text on both databases, since JSONB would hand back some numbers as others."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, Any] | None, dialect: Dialect) -> dict[str, Any] | None:
        return None if value is None else dict(value)


class Names(TypeDecorator[tuple[tuple[str, str], ...]]):
    """Pairs of type and value, in their order."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: tuple[tuple[str, str], ...] | None, dialect: Dialect) -> Any:
        return None if value is None else [list(pair) for pair in value]

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[tuple[str, str], ...] | None:
        return None if value is None else tuple((kind, text) for kind, text in value)


class SerialNumber(TypeDecorator[Serial]):
    """A serial number as lower-case hex, whole octets."""

    impl = String
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(40)

    def process_bind_param(self, value: Serial | None, dialect: Dialect) -> str | None:
        return None if value is None else value.hex

    def process_result_value(self, value: str | None, dialect: Dialect) -> Serial | None:
        if value is None:
            return None
        serial = Serial(int(value, 16))
        if serial.hex != value:  # statements look for the text: another spelling would be found by nobody
            raise IntegrityAlarm(f"the serial number {value[:40]!r} is not spelt as it was stored")
        return serial
