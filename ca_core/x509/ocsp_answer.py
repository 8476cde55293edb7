"""An OCSP answer that was read: what a client, a lint or a second check of our own needs of it (RFC 6960 §4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from ca_core.domain.errors import MalformedDer
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.der_reader import ENUMERATED, GENERALIZED_TIME, Element, decode
from ca_core.x509.extension import Extension, read_extensions
from ca_core.x509.ocsp import ARCHIVE_CUTOFF, BASIC_RESPONSE, NONCE, CertId, CertStatus, ResponseStatus, Revoked


@dataclass(frozen=True, slots=True)
class SingleAnswer:
    """The status of one certificate."""

    cert_id: CertId
    status: CertStatus | Revoked
    this_update: datetime
    next_update: datetime | None
    archive_cutoff: datetime | None = None

    @classmethod
    def of(cls, element: Element) -> Self:
        """Read one SingleResponse; :class:`MalformedDer` for anything else."""
        cert_id, status, this_update, *rest = element.sequence("a single response", least=3, most=5)
        next_update = None
        if rest and rest[0].tag == 0xA0:
            next_update = _time(rest.pop(0).inner("nextUpdate"), "nextUpdate")
        cutoff = None
        if rest and rest[0].tag == 0xA1:
            extensions = read_extensions(rest.pop(0).inner("the extensions of a single response"))
            values = (extension.value for extension in extensions if extension.oid == ARCHIVE_CUTOFF)
            cutoff = next((_time(decode(value), "the archive cutoff") for value in values), None)
        if rest:
            raise MalformedDer("a single response is not in its form")
        return cls(CertId.of(cert_id), _status(status), _time(this_update, "thisUpdate"), next_update, cutoff)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseData:
    """The signed part of an answer."""

    der: bytes
    responder_key_hash: bytes | None
    """None when the responder names itself by its name."""
    produced_at: datetime
    answers: tuple[SingleAnswer, ...]
    extensions: tuple[Extension, ...]
    nonce: bytes | None

    @classmethod
    def parse(cls, encoded: bytes) -> Self:
        """Read DER ResponseData; :class:`MalformedDer` for anything else."""
        return cls.of(decode(encoded))

    @classmethod
    def of(cls, element: Element) -> Self:
        """As :meth:`parse`, from what is decoded already."""
        responder, produced_at, answers, *rest = element.sequence("the response data", least=3, most=4)
        key_hash = None
        if responder.tag == 0xA2:
            key_hash = responder.inner("the responder").octets("the responder's key hash")
        elif responder.tag != 0xA1:
            raise MalformedDer("the responder is neither a name nor a key hash")
        extensions: tuple[Extension, ...] = ()
        if rest:
            extensions = read_extensions(rest[0].expect(0xA1, "the extensions").inner("the extensions"))
        nonce = next((extension.value for extension in extensions if extension.oid == NONCE), None)
        return cls(
            der=element.raw,
            responder_key_hash=key_hash,
            produced_at=_time(produced_at, "producedAt"),
            answers=tuple(SingleAnswer.of(member) for member in answers.sequence("the responses", least=1)),
            extensions=extensions,
            nonce=None if nonce is None else decode(nonce).octets("the nonce"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OcspAnswer:
    """A whole OCSPResponse. Everything but the status is None or empty unless it is successful."""

    status: ResponseStatus
    data: ResponseData | None = None
    signature_algorithm: bytes = b""
    signature: bytes = b""
    certificates: tuple[SignedCertificate, ...] = ()

    @classmethod
    def parse(cls, encoded: bytes) -> Self:
        """Read a DER OCSPResponse; :class:`MalformedDer` for anything else. The signature is not checked here."""
        status, *rest = decode(encoded).sequence("the OCSP response", least=1, most=2)
        try:
            code = ResponseStatus(status.integer("the response status", tag=ENUMERATED))
        except ValueError:
            raise MalformedDer("there is no such OCSP response status") from None
        if (code is ResponseStatus.SUCCESSFUL) != bool(rest):
            raise MalformedDer("an OCSP response has an answer exactly when it is successful")
        if not rest:
            return cls(status=code)
        kind, wrapped = rest[0].expect(0xA0, "the answer").inner("the answer").sequence("the answer", least=2, most=2)
        if kind.oid("the type of answer") != BASIC_RESPONSE:
            raise MalformedDer("the OCSP response is not a basic one")
        basic = decode(wrapped.octets("the answer"))
        data, algorithm, signature, *certificates = basic.sequence("the basic response", least=3, most=4)
        found: tuple[SignedCertificate, ...] = ()
        if certificates:
            members = certificates[0].expect(0xA0, "the certificates").inner("the certificates")
            found = tuple(SignedCertificate.parse(member.raw) for member in members.sequence("the certificates"))
        return cls(
            status=code,
            data=ResponseData.of(data),
            signature_algorithm=algorithm.raw,
            signature=signature.bits("the signature"),
            certificates=found,
        )


def _time(element: Element, what: str) -> datetime:
    # OCSP knows GeneralizedTime only, whatever the year (RFC 6960 §4.2.1).
    return element.expect(GENERALIZED_TIME, what).time(what)


def _status(element: Element) -> CertStatus | Revoked:
    if element.raw in (CertStatus.GOOD.value, CertStatus.UNKNOWN.value):
        return CertStatus(element.raw)
    if element.tag != 0xA1:
        raise MalformedDer("a certificate status is neither good, revoked nor unknown")
    revoked_at, *reason = element.counted("a revocation", least=1, most=2)
    return Revoked(
        _time(revoked_at, "the revocation time"),
        reason[0].expect(0xA0, "the reason").inner("the reason").integer("the reason", tag=ENUMERATED)
        if reason
        else None,
    )
