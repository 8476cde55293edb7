"""Reading an extension rule's parameters: each fault names the kind and the key, so that a pack is refused at start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

from ca_core.domain.errors import ConfigurationError, InvalidInput
from ca_core.x509 import der


class Parameters:
    """One table of parameters. Take what is known, then :meth:`close`: whatever is left over is a mistake."""

    def __init__(self, where: str, table: Mapping[str, object]) -> None:
        self.where = where
        self._left = dict(table)

    def refuse(self, key: str, why: str) -> NoReturn:
        """Raise :class:`ConfigurationError` for that key."""
        raise ConfigurationError(f"extension {self.where}, key {key!r}: {why}")

    def close(self) -> None:
        """Refuse keys that nobody took."""
        for key in self._left:
            self.refuse(key, "there is no such parameter")

    def has(self, key: str) -> bool:
        """Whether the key is there and was not taken yet."""
        return key in self._left

    def keys(self) -> tuple[str, ...]:
        """The keys that were not taken yet."""
        return tuple(self._left)

    def take(self, key: str) -> object:
        """Any value; it must be there."""
        if key not in self._left:
            self.refuse(key, "it is required")
        return self._left.pop(key)

    def boolean(self, key: str, *, default: bool = False) -> bool:
        """True or false."""
        value = self._left.pop(key, default)
        if not isinstance(value, bool):
            self.refuse(key, "it is true or false")
        return value

    def integer(self, key: str, *, least: int, most: int) -> int:
        """A required whole number within bounds."""
        value = self.take(key)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.refuse(key, f"it is a whole number from {least} to {most}")
        return value

    def text(self, key: str) -> str:
        """A required text that is not empty."""
        value = self.take(key)
        if not isinstance(value, str) or not value:
            self.refuse(key, "it is a text")
        return value

    def oid(self, key: str) -> str:
        """A required object identifier in dotted decimal."""
        value = self.text(key)
        try:
            der.oid(value)
        except InvalidInput as fault:
            self.refuse(key, fault.detail)
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A required list of different texts, at least one."""
        value = self.take(key)
        if not isinstance(value, Sequence) or isinstance(value, str) or not value:
            self.refuse(key, "it is a list with at least one member")
        found: list[str] = []
        for member in value:
            if not isinstance(member, str) or not member:
                self.refuse(key, "its members are texts")
            if member in found:
                self.refuse(key, f"{member!r} is listed twice")
            found.append(member)
        return tuple(found)

    def tables(self, key: str) -> tuple[Parameters, ...]:
        """A required list of tables, at least one."""
        value = self.take(key)
        if not isinstance(value, Sequence) or isinstance(value, str) or not value:
            self.refuse(key, "it is a list with at least one table")
        return tuple(self._table(f"{key}[{index}]", member) for index, member in enumerate(value))

    def table(self, key: str) -> Parameters:
        """A required table."""
        return self._table(key, self.take(key))

    def _table(self, key: str, value: object) -> Parameters:
        if not isinstance(value, Mapping):
            self.refuse(key, "it is a table")
        return Parameters(f"{self.where}.{key}", value)
