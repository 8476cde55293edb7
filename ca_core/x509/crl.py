"""Certificate revocation lists: written by concatenation, read without holding every entry (RFC 5280 §5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Self

from ca_core.domain.errors import InvalidInput, MalformedDer
from ca_core.domain.identifiers import Serial
from ca_core.x509 import der, extension_values
from ca_core.x509.certificate import assemble
from ca_core.x509.der_reader import ENUMERATED, INTEGER, SEQUENCE, Element, decode, header
from ca_core.x509.extension import Extension, read_extensions, write_extensions
from ca_core.x509.extension_kinds import distribution_point_name
from ca_core.x509.name import render_name

__all__ = ["CertificateList", "RevokedEntry", "assemble", "revoked_entry", "to_be_signed_list"]

REASONS = frozenset({0, 1, 2, 3, 4, 5, 6, 8, 9, 10})
"""CRLReason codes (RFC 5280 §5.3.1); 7 is not used, 8 (removeFromCRL) stands in delta lists only."""


def revoked_entry(serial: Serial, revoked_at: datetime, reason: int | None, invalidity: datetime | None) -> bytes:
    """One member of revokedCertificates. ``reason`` 0 (unspecified) is left out, as RFC 5280 §5.3.1 says."""
    extensions = b""
    if reason is not None and reason != 0:
        extensions = _reason_extension(reason)
    if invalidity is not None:
        extensions += Extension(extension_values.INVALIDITY_DATE, False, der.generalized_time(invalidity)).der
    return der.sequence(
        der.integer(serial.value), der.time(revoked_at), der.sequence(extensions) if extensions else b""
    )


@lru_cache(maxsize=16)
def _reason_extension(reason: int) -> bytes:
    if reason not in REASONS:
        raise InvalidInput(f"there is no revocation reason {reason} (RFC 5280 section 5.3.1)")
    return Extension(extension_values.REASON_CODE, False, der.enumerated(reason)).der


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
) -> bytes:
    """The DER TBSCertList, version 2.

    ``distribution_point_url`` makes it a partition: its critical issuing distribution point then names the address
    that the certificates of this partition carry. ``delta_base`` makes it a delta to the list of that number.
    """
    if not 0 <= number < 1 << 159:
        raise InvalidInput("a CRL number is not negative and at most 20 octets long (RFC 5280 section 5.2.3)")
    if delta_base is not None and not 0 <= delta_base < number:
        raise InvalidInput("a delta's base has a lower number than the delta")
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
    revoked = b"".join(entries)
    return der.sequence(
        der.integer(1),
        signature_algorithm,
        issuer,
        der.time(this_update),
        der.time(next_update),
        # RFC 5280 §5.1.2.6: without entries the field is absent.
        der.sequence(revoked) if revoked else b"",
        der.explicit(0, write_extensions(extensions)),
    )


@dataclass(frozen=True, slots=True)
class RevokedEntry:
    """One revoked certificate as a list shows it."""

    serial: int
    revoked_at: datetime
    reason: int | None
    invalidity: datetime | None

    @classmethod
    def parse(cls, encoded: bytes) -> Self:
        """Read one member of revokedCertificates; unknown critical extensions raise :class:`MalformedDer`."""
        serial, time, *rest = decode(encoded).sequence("a revoked certificate", least=2, most=3)
        reason: int | None = None
        invalidity: datetime | None = None
        for extension in read_extensions(rest[0]) if rest else ():
            if extension.oid == extension_values.REASON_CODE:
                reason = decode(extension.value).integer("the reason", tag=ENUMERATED)
                if reason not in REASONS:
                    raise MalformedDer("a revocation reason is not one of RFC 5280 section 5.3.1")
            elif extension.oid == extension_values.INVALIDITY_DATE:
                invalidity = decode(extension.value).time("the invalidity date")
            elif extension.critical:
                raise MalformedDer("a revoked certificate has a critical extension that is not known")
        return cls(serial.integer("the serial number"), time.time("the revocation time"), reason, invalidity)


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

    def serials(self) -> Iterator[int]:
        """The serial numbers of the entries in order, nothing else of them looked into."""
        whole = bytes(self.revoked)
        at = 0
        while at < len(whole):
            _, start, stop = header(whole, at, len(whole))
            tag, start, end = header(whole, start, stop)
            if tag != INTEGER:
                raise MalformedDer("a revoked certificate does not begin with its serial number")
            yield int.from_bytes(whole[start:end], signed=True)
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
