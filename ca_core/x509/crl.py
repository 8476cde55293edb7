"""Certificate revocation lists: written by concatenation, read without holding every entry (RFC 5280 §5).

What is between the two, the entries, is in :mod:`ca_core.x509.crl_entries`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from ca_core.domain.errors import InvalidInput, MalformedDer
from ca_core.domain.identifiers import Serial
from ca_core.x509 import der, extension_values
from ca_core.x509.certificate import assemble
from ca_core.x509.crl_entries import RevokedEntry
from ca_core.x509.der_reader import SEQUENCE, Element, decode, header
from ca_core.x509.extension import Extension, read_extensions, write_extensions
from ca_core.x509.extension_kinds import distribution_point_name
from ca_core.x509.name import render_name

__all__ = ["CertificateList", "assemble", "to_be_signed_list"]


def to_be_signed_list(
    *,
    signature_algorithm: bytes,
    issuer: bytes,
    this_update: datetime,
    next_update: datetime,
    entries: Iterable[bytes],
    number: int,
    authority_key_identifier: bytes,
    distribution_point_url: str | None = None,
    delta_base: int | None = None,
    freshest_url: str | None = None,
) -> bytes:
    """The DER TBSCertList, version 2. ``entries`` are runs of one entry or more, back to back.

    ``distribution_point_url`` makes it a partition: its critical issuing distribution point then names the address
    that the certificates of this partition carry. ``delta_base`` makes it a delta to the list of that number;
    ``freshest_url`` is where the deltas to this one lie.
    """
    if not 0 <= number < 1 << 159:
        raise InvalidInput("a CRL number is not negative and at most 20 octets long (RFC 5280 section 5.2.3)")
    if delta_base is not None and not 0 <= delta_base < number:
        raise InvalidInput("a delta's base has a lower number than the delta")
    if delta_base is not None and freshest_url is not None:
        raise InvalidInput("a delta has no deltas of its own (RFC 5280 section 5.2.6)")
    extensions = [
        Extension(
            extension_values.AUTHORITY_KEY_IDENTIFIER,
            False,
            der.sequence(der.implicit(0, der.octet_string(authority_key_identifier))),
        ),
        Extension(extension_values.CRL_NUMBER, False, der.integer(number)),
    ]
    if delta_base is not None:
        extensions.append(Extension(extension_values.DELTA_CRL_INDICATOR, True, der.integer(delta_base)))
    if distribution_point_url is not None:
        extensions.append(
            Extension(
                extension_values.ISSUING_DISTRIBUTION_POINT,
                True,
                der.sequence(distribution_point_name(distribution_point_url)),
            )
        )
    if freshest_url is not None:
        point = der.sequence(der.sequence(distribution_point_name(freshest_url)))
        extensions.append(Extension(extension_values.FRESHEST_CRL, False, point))
    runs = list(entries)
    size = sum(map(len, runs))
    return der.sequence(
        der.integer(1),
        signature_algorithm,
        issuer,
        der.time(this_update),
        der.time(next_update),
        # RFC 5280 §5.1.2.6: without entries the field is absent.
        der.header(SEQUENCE, size) if size else b"",
        *runs,
        der.explicit(0, write_extensions(extensions)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateList:
    """A CRL that was read: everything but its entries, which :meth:`entries` reads one by one."""

    der: bytes
    tbs: bytes
    signature_algorithm: bytes
    signature: bytes
    issuer: bytes
    """DER Name."""
    this_update: datetime
    next_update: datetime
    encoded_times: bytes
    """thisUpdate and nextUpdate as they stand in the bytes."""
    number: int | None
    delta_base: int | None
    """The number of the full list that this delta builds on; None for a full list."""
    authority_key_identifier: bytes | None
    distribution_point_urls: tuple[str, ...]
    """Of the issuing distribution point; empty for a list without one."""
    freshest_urls: tuple[str, ...]
    """Where the deltas to this list lie; empty for a list without the extension."""
    extensions: tuple[Extension, ...]
    revoked: memoryview
    """The encoded entries, back to back."""

    @classmethod
    def parse(cls, encoded: bytes) -> Self:
        """Read a DER CertificateList of version 2; :class:`MalformedDer` for anything else in all but the entries."""
        tag, at, end = header(encoded, 0, len(encoded))
        if tag != SEQUENCE or end != len(encoded):
            raise MalformedDer("the list is not exactly one CRL")
        _, _, tbs_end = header(encoded, at, end)
        _, _, algorithm_end = header(encoded, tbs_end, end)
        found = cls.unsigned(encoded[at:tbs_end])
        if encoded[tbs_end:algorithm_end] != found.signature_algorithm:
            raise MalformedDer("the list names two signature algorithms (RFC 5280 section 5.1.1.2)")
        return replace(found, der=encoded, signature=decode(encoded[algorithm_end:]).bits("the signature"))

    @classmethod
    def unsigned(cls, tbs: bytes) -> Self:
        """Read a DER TBSCertList as :meth:`parse` does; ``der`` and ``signature`` are empty."""
        tag, at, end = header(tbs, 0, len(tbs))
        if tag != SEQUENCE or end != len(tbs):
            raise MalformedDer("the list has no part that is signed")
        fields: list[Element] = []
        revoked = (0, 0)
        while at < end:
            tag, start, stop = header(tbs, at, end)
            # After five fields (version to nextUpdate) a SEQUENCE is the entries, too many to decode at once.
            if tag == SEQUENCE and len(fields) == 5 and revoked == (0, 0):
                revoked = (start, stop)
            else:
                fields.append(decode(tbs[at:stop]))
            at = stop
        if len(fields) != 6 or fields[0].integer("the version") != 1:
            raise MalformedDer("the list is not a CRL of version 2 with nextUpdate and extensions")
        _, algorithm, issuer, this_update, next_update, wrapped = fields
        algorithm.sequence("the signature algorithm", least=1, most=2)
        render_name(issuer.raw)
        extensions = read_extensions(wrapped.expect(0xA0, "the extensions").inner("the extensions"))
        values = {extension.oid: extension.value for extension in extensions}
        number = values.get(extension_values.CRL_NUMBER)
        base = values.get(extension_values.DELTA_CRL_INDICATOR)
        aki = values.get(extension_values.AUTHORITY_KEY_IDENTIFIER)
        point = values.get(extension_values.ISSUING_DISTRIBUTION_POINT)
        freshest = values.get(extension_values.FRESHEST_CRL)
        return cls(
            der=b"",
            tbs=tbs,
            signature_algorithm=algorithm.raw,
            signature=b"",
            issuer=issuer.raw,
            this_update=this_update.time("thisUpdate"),
            next_update=next_update.time("nextUpdate"),
            encoded_times=this_update.raw + next_update.raw,
            number=None if number is None else extension_values.crl_integer(number),
            delta_base=None if base is None else extension_values.crl_integer(base),
            authority_key_identifier=None if aki is None else extension_values.authority_key_identifier(aki),
            distribution_point_urls=() if point is None else _point_urls(point),
            freshest_urls=() if freshest is None else extension_values.crl_distribution_points(freshest),
            extensions=extensions,
            revoked=memoryview(tbs)[revoked[0] : revoked[1]],
        )

    def entries(self) -> Iterator[RevokedEntry]:
        """The entries in order; :class:`MalformedDer` at the first that is not one."""
        return map(RevokedEntry.parse, self.encoded_entries())

    def encoded_entries(self) -> Iterator[bytes]:
        """The DER of each entry in order, not looked into."""
        whole = bytes(self.revoked)
        at = 0
        while at < len(whole):
            _, _, stop = header(whole, at, len(whole))
            yield whole[at:stop]
            at = stop

    def find(self, serial: Serial) -> RevokedEntry | None:
        """The entry of that serial number, or None."""
        wanted = der.integer(serial.value)
        for encoded in self.encoded_entries():
            _, start, _ = header(encoded, 0, len(encoded))
            if encoded.startswith(wanted, start):
                return RevokedEntry.parse(encoded)
        return None


def _point_urls(value: bytes) -> tuple[str, ...]:
    members = decode(value).sequence("the issuing distribution point", most=6)
    return tuple(extension_values.point_urls(members[0])) if members and members[0].tag == 0xA0 else ()
