"""One extension of a certificate, request, CRL or OCSP message (RFC 5280 §4.1.2.9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from ca_core.domain.errors import MalformedDer
from ca_core.x509 import der
from ca_core.x509.der_reader import Element


@dataclass(frozen=True, slots=True)
class Extension:
    """``value`` is the DER inside the OCTET STRING."""

    oid: str
    critical: bool
    value: bytes

    @property
    def der(self) -> bytes:
        """The complete Extension; critical is written only when true (X.690 §11.5)."""
        return der.sequence(
            der.oid(self.oid), der.boolean(True) if self.critical else b"", der.octet_string(self.value)
        )

    @classmethod
    def of(cls, element: Element) -> Self:
        """Read one Extension; an explicit ``critical FALSE`` is not DER and raises :class:`MalformedDer`."""
        members = element.sequence("an extension", least=2, most=3)
        critical = len(members) == 3
        if critical and not members[1].boolean("an extension's critical flag"):
            raise MalformedDer("an extension writes out critical FALSE, which is the default (X.690 section 11.5)")
        return cls(members[0].oid("an extension"), critical, members[-1].octets("an extension"))


def read_extensions(element: Element) -> tuple[Extension, ...]:
    """Read Extensions: at least one, each type once (RFC 5280 §4.2)."""
    return unique_extensions(element.sequence("the extensions", least=1))


def unique_extensions(members: Sequence[Element]) -> tuple[Extension, ...]:
    """Read the members of Extensions, each type once."""
    found = tuple(Extension.of(member) for member in members)
    if len({extension.oid for extension in found}) != len(found):
        raise MalformedDer("an extension appears twice")
    return found


def write_extensions(extensions: Sequence[Extension]) -> bytes:
    """Write Extensions, or nothing when there are none: the field is left out then."""
    return der.sequence(*(extension.der for extension in extensions)) if extensions else b""
