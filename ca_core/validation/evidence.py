"""Lists and answers that came with a question or were fetched for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from asn1crypto import crl, ocsp, x509
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer
from pyhanko_certvalidator.util import get_ocsp_urls

from ca_core.domain.errors import MalformedDer
from ca_core.domain.path_validation import Evidence, EvidenceKind

ANSWERS_OF_ONE = 64
"""Single responses that are looked at in one answer."""


def read_list(data: bytes) -> CRLContainer:
    """A certificate revocation list in DER; MalformedDer for anything else."""
    try:
        found = crl.CertificateList.load(data, strict=True)
        head = found["tbs_cert_list"]
        _ = found.issuer.hashable, head["this_update"].native, head["next_update"].native, found.critical_extensions
        _ = found.crl_number_value, found.delta_crl_indicator_value, found.authority_key_identifier
        _ = None if found.issuing_distribution_point_value is None else found.issuing_distribution_point_value.native
    # Whatever a library stumbles over in foreign bytes is a fault of the bytes.
    except Exception as fault:
        raise MalformedDer(f"the revocation list cannot be read: {type(fault).__name__}") from None
    return CRLContainer(found)


def read_answer(data: bytes) -> list[OCSPContainer]:
    """The single responses of an OCSP response in DER, none for an error response; MalformedDer for anything else."""
    try:
        found = OCSPContainer.load_multi(ocsp.OCSPResponse.load(data, strict=True))
        if len(found) > ANSWERS_OF_ONE:
            raise ValueError("too many")
        for one in found:
            single = one.extract_single_response()
            _ = None if single is None else single.native
    except Exception as fault:
        raise MalformedDer(f"the OCSP response cannot be read: {type(fault).__name__}") from None
    return found


def this_update(item: CRLContainer | OCSPContainer) -> datetime | None:
    found: datetime | None = item.issuance_date
    return found


def next_update(item: CRLContainer | OCSPContainer) -> datetime | None:
    body = item.crl_data["tbs_cert_list"] if isinstance(item, CRLContainer) else item.extract_single_response()
    found: datetime | None = None if body is None else body["next_update"].native
    return found


def is_fresh(item: CRLContainer | OCSPContainer, moment: datetime, freshness: timedelta | None) -> bool:
    """Whether it was made so recently as is asked for."""
    made = this_update(item)
    return freshness is None or (made is not None and moment - made <= freshness)


def concerns(answer: OCSPContainer, certificate: x509.Certificate) -> bool:
    """Whether it may be about this certificate; the engine compares the hashes of its issuer."""
    single = answer.extract_single_response()
    return single is not None and single["cert_id"]["serial_number"].native == certificate.serial_number


def has_impostor(answer: OCSPContainer, issuer: x509.Certificate) -> bool:
    """Whether a certificate came with it that takes the issuer's name and number and is another one.

    The engine compares no more of the two than issuer, serial number and signature value, which are copied easily, and
    would then trust the key in it (RFC 6960 §4.2.2.2)."""
    basic = answer.extract_basic_ocsp_response()
    return basic is not None and any(
        one.issuer_serial == issuer.issuer_serial and one.sha256 != issuer.sha256 for one in basic["certs"] or ()
    )


def is_by(found: crl.CertificateList, issuer: x509.Name) -> bool:
    """Whether the list is that issuer's, or one that speaks for several (RFC 5280 §5.2.5, indirectCRL)."""
    point = found.issuing_distribution_point_value
    return found.issuer == issuer or bool(point is not None and point["indirect_crl"].native)


def of_list(found: crl.CertificateList, place: int) -> Evidence:
    number = found.crl_number_value
    head = found["tbs_cert_list"]
    return Evidence(
        certificate=place,
        kind=EvidenceKind.CRL,
        number=None if number is None else number.native,
        this_update=head["this_update"].native,
        next_update=head["next_update"].native,
    )


def of_answer(found: OCSPContainer, place: int) -> Evidence:
    made = this_update(found)
    assert made is not None
    return Evidence(certificate=place, kind=EvidenceKind.OCSP, this_update=made, next_update=next_update(found))


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where a certificate says that its status is told; http and https only."""

    lists: Sequence[str]
    responders: Sequence[str]

    @classmethod
    def of(cls, certificate: x509.Certificate) -> Addresses:
        points = certificate.crl_distribution_points_value or ()
        lists = [
            name.native
            for point in points
            if point["distribution_point"].name == "full_name"
            for name in point["distribution_point"].chosen
            if name.name == "uniform_resource_identifier"
        ]
        web = ("http://", "https://")
        return cls(
            lists=[url for url in dict.fromkeys(lists) if url.lower().startswith(web)],
            responders=[url for url in dict.fromkeys(get_ocsp_urls(certificate)) if url.lower().startswith(web)],
        )


def request_for(certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    """An OCSP request (RFC 6960 §4.1) without a nonce, so that the answer may come from a cache."""
    cert_id = {
        "hash_algorithm": {"algorithm": "sha1"},  # what every responder knows (RFC 9654 asks for no other)
        "issuer_name_hash": issuer.subject.sha1,
        "issuer_key_hash": issuer.public_key.sha1,
        "serial_number": certificate.serial_number,
    }
    request = ocsp.OCSPRequest({"tbs_request": {"request_list": [{"req_cert": cert_id}]}})
    encoded: bytes = request.dump()
    return encoded
