"""A certificate from foreign hands, read so far that nothing in it surprises the engine later."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

from asn1crypto import x509

from ca_core.domain.errors import CaError, MalformedDer
from ca_core.domain.path_validation import ChainLink
from ca_core.validation.algorithms import end_of_key
from ca_core.x509.certificate import MAX_SIZE
from ca_core.x509.der_reader import decode
from ca_core.x509.name import render_name
from ca_core.x509.pem import from_pem

# Read eagerly: asn1crypto decodes on first use, and would raise there what belongs to the reader.
_VALUES = (
    "key_identifier",
    "authority_key_identifier",
    "authority_issuer_serial",
    "basic_constraints_value",
    "key_usage_value",
    "extended_key_usage_value",
    "certificate_policies_value",
    "policy_mappings_value",
    "policy_constraints_value",
    "inhibit_any_policy_value",
    "name_constraints_value",
    "subject_alt_name_value",
    "crl_distribution_points_value",
    "authority_information_access_value",
    "critical_extensions",
    "not_valid_before",
    "not_valid_after",
    "serial_number",
)


class _Exact:
    """asn1crypto takes a length whose last octet is 0x80 for an indefinite one, and encodes the value anew, in which
    unused bits of a BIT STRING are lost and with them the signature. What was read here is DER as it stands."""

    _header: bytes
    _contents: bytes

    def dump(self, force: bool = False) -> bytes:
        if not force and self._header[-1:] == b"\x80":
            return self._header + self._contents
        encoded: bytes = super().dump(force)  # type: ignore[misc]
        return encoded


class _TbsCertificate(_Exact, x509.TbsCertificate):  # type: ignore[misc]
    pass


class _Certificate(_Exact, x509.Certificate):  # type: ignore[misc]
    _fields: ClassVar[list[tuple[str, type]]] = [("tbs_certificate", _TbsCertificate), *x509.Certificate._fields[1:]]


def read_certificate(data: bytes) -> x509.Certificate:
    """The certificate in DER or one PEM block, at most 64 KiB; MalformedDer for anything else.

    Less strict than :class:`~ca_core.x509.certificate.SignedCertificate`: others issue what we would not, such as
    negative serial numbers (RFC 5280 §4.1.2.2 asks to handle them gracefully)."""
    if len(data) > MAX_SIZE:
        raise MalformedDer("the certificate is larger than 64 KiB")
    der = from_pem(data, "CERTIFICATE") if data[:1] != b"\x30" else data
    return _read_again(der) if len(der) <= KEPT_SIZE else _read(der)


KEPT_SIZE = 4096
"""Octets of certificates that are kept once read. One takes some hundred times as much memory then, and who chooses its
contents may be anybody."""


def _read(der: bytes) -> x509.Certificate:
    # Its own DER rules first: asn1crypto takes BER, and what is signed has one encoding only.
    decode(der).sequence("the certificate", least=3, most=3)
    try:
        certificate = _Certificate.load(der, strict=True)
        extensions = certificate["tbs_certificate"]["extensions"]
        oids = [extension["extn_id"].dotted for extension in extensions]
        if len(set(oids)) != len(oids):
            raise MalformedDer("an extension appears twice (RFC 5280 section 4.2)")
        if certificate["signature_algorithm"].dump() != certificate["tbs_certificate"]["signature"].dump():
            raise MalformedDer("the certificate names two signature algorithms (RFC 5280 section 4.1.1.2)")
        _ = certificate.native
        for name in _VALUES:
            _ = getattr(certificate, name)
        _ = certificate.subject.hashable, certificate.issuer.hashable
        _ = end_of_key(certificate.public_key)
    except CaError:
        raise
    # Whatever a library stumbles over in foreign bytes is a fault of the bytes.
    except Exception as fault:
        raise MalformedDer(f"the certificate cannot be read: {type(fault).__name__}") from None
    return certificate


_read_again = lru_cache(maxsize=128)(_read)


def link_of(certificate: x509.Certificate) -> ChainLink:
    """What a verdict tells of it."""
    digits = f"{certificate.serial_number:x}"
    return ChainLink(
        subject=subject_of(certificate),
        serial=digits if len(digits) % 2 == 0 else "0" + digits,
        sha256=certificate.sha256,
        not_before=certificate.not_valid_before,
        not_after=certificate.not_valid_after,
        der=certificate.dump(),
    )


def subject_of(certificate: x509.Certificate) -> str:
    """Its subject as RFC 4514 writes it."""
    try:
        return render_name(certificate.subject.dump())
    except MalformedDer:
        return str(certificate.subject.human_friendly)
