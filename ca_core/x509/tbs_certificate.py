"""The fields of a TBSCertificate as they stand in the bytes (RFC 5280 §4.1), before anybody judges them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from ca_core.domain.errors import MalformedDer
from ca_core.x509.der_reader import GENERALIZED_TIME, SEQUENCE, UTC_TIME, Element, decode


@dataclass(frozen=True, slots=True, kw_only=True)
class TbsCertificate:
    """Decoded once, then shared by whoever reads or lints it."""

    der: bytes
    version: int
    """1 to 3, as people count; the encoding says one less."""
    serial: Element
    signature_algorithm: Element
    issuer: Element
    not_before: Element
    not_after: Element
    subject: Element
    public_key_info: Element
    unique_identifiers: bool
    """Whether issuerUniqueID or subjectUniqueID is there, which RFC 5280 §4.1.2.8 forbids us."""
    extensions: tuple[Element, ...]

    @classmethod
    def parse(cls, der: bytes) -> Self:
        """Read exactly one TBSCertificate; :class:`MalformedDer` for anything else."""
        return cls.of(decode(der))

    @classmethod
    def of(cls, element: Element) -> Self:
        """As :meth:`parse`, from what is decoded already."""
        fields = list(element.sequence("the certificate", least=6, most=10))
        version = 1
        if fields[0].tag == 0xA0:
            version = fields.pop(0).inner("the version").integer("the version") + 1
        if len(fields) < 6:
            raise MalformedDer("the certificate lacks a field")
        serial, algorithm, issuer, validity, subject, key, *rest = fields
        serial.expect(0x02, "the serial number")
        for field, what in (
            (algorithm, "the algorithm"),
            (issuer, "the issuer"),
            (subject, "the subject"),
            (key, "the key"),
        ):
            field.expect(SEQUENCE, what)
        not_before, not_after = validity.sequence("the validity", least=2, most=2)
        for time in (not_before, not_after):
            if time.tag not in (UTC_TIME, GENERALIZED_TIME):
                raise MalformedDer("the validity has something that is no time")
        tags = [field.tag for field in rest]
        if tags != sorted(set(tags)) or any(tag not in (0x81, 0x82, 0xA3) for tag in tags):
            raise MalformedDer("the certificate's optional fields are not in their form")
        extensions: tuple[Element, ...] = ()
        if rest and rest[-1].tag == 0xA3:
            extensions = tuple(rest[-1].inner("the extensions").sequence("the extensions", least=1))
        return cls(
            der=element.raw,
            version=version,
            serial=serial,
            signature_algorithm=algorithm,
            issuer=issuer,
            not_before=not_before,
            not_after=not_after,
            subject=subject,
            public_key_info=key,
            unique_identifiers=any(tag != 0xA3 for tag in tags),
            extensions=extensions,
        )
