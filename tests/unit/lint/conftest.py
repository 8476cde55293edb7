"""Structures that no rule objects to, with every part open to change."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ca_core.domain.algorithms import SignatureAlgorithm
from ca_core.domain.identifiers import Serial
from ca_core.x509 import der, extension_values as oids
from ca_core.x509.algorithm import public_key_identifier, signature_algorithm_identifier
from ca_core.x509.certificate import assemble
from ca_core.x509.crl import to_be_signed_list
from ca_core.x509.crl_entries import encode_entries
from ca_core.x509.extension import Extension
from ca_core.x509.ocsp import CertId, CertStatus, Revoked, response_data, single_response

START = datetime(2026, 1, 1, tzinfo=UTC)
ECDSA = signature_algorithm_identifier(SignatureAlgorithm.ECDSA_SHA256)
OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"


@cache
def key(number: int) -> bytes:
    """A P-256 SubjectPublicKeyInfo."""
    # A fixed scalar: the same key in every run.
    scalar = int.from_bytes(hashlib.sha256(b"lint %d" % number).digest(), "big") >> 1
    public = ec.derive_private_key(scalar, ec.SECP256R1()).public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def name(*attributes: tuple[str, bytes]) -> bytes:
    return der.sequence(*(der.set_of(der.sequence(der.oid(oid), value)) for oid, value in attributes))


def common_name(text: str) -> bytes:
    return name(("2.5.4.6", der.printable_string("XX")), ("2.5.4.3", der.utf8_string(text)))


def usages(*positions: int) -> bytes:
    return der.named_bits(positions)


def purposes(*listed: str) -> bytes:
    return der.sequence(*map(der.oid, listed))


def aki(identifier: bytes) -> bytes:
    return der.sequence(der.implicit(0, der.octet_string(identifier)))


def point(url: str) -> bytes:
    return der.sequence(der.sequence(der.explicit(0, der.implicit(0, der.sequence(der.tlv(0x86, url.encode()))))))


def access(method: str, url: str) -> bytes:
    return der.sequence(der.sequence(der.oid(method), der.tlv(0x86, url.encode())))


@dataclass(frozen=True, kw_only=True)
class CertificateDraft:
    """The parts of a TBSCertificate, each complete DER."""

    subject: bytes
    public_key_info: bytes
    issuer: bytes
    extensions: tuple[bytes, ...] = ()
    version: bytes = b"\xa0\x03\x02\x01\x02"
    serial: bytes = der.integer(0x1234)
    signature_algorithm: bytes = ECDSA
    not_before: bytes = der.utc_time(START)
    not_after: bytes = der.utc_time(START + timedelta(days=90))
    after_key: bytes = b""

    @property
    def tbs(self) -> bytes:
        return der.sequence(
            self.version,
            self.serial,
            self.signature_algorithm,
            self.issuer,
            der.sequence(self.not_before, self.not_after),
            self.subject,
            self.public_key_info,
            self.after_key,
            der.explicit(3, der.sequence(*self.extensions)) if self.extensions else b"",
        )

    @property
    def signed(self) -> bytes:
        """A certificate with a signature that nobody looks at."""
        return assemble(self.tbs, self.signature_algorithm, b"\x00")

    def change(self, **parts: object) -> CertificateDraft:
        return replace(self, **parts)  # type: ignore[arg-type]

    def without(self, oid: str) -> CertificateDraft:
        kept = tuple(one for one in self.extensions if not one.startswith(der.oid(oid), 2))
        assert len(kept) == len(self.extensions) - 1
        return replace(self, extensions=kept)

    def plus(self, oid: str, value: bytes, *, critical: bool = False) -> CertificateDraft:
        return replace(self, extensions=(*self.extensions, Extension(oid, critical, value).der))

    def swap(self, oid: str, value: bytes, *, critical: bool = False) -> CertificateDraft:
        return self.without(oid).plus(oid, value, critical=critical)


@dataclass(frozen=True, kw_only=True)
class CrlDraft:
    """The parts of a TBSCertList."""

    issuer: bytes
    authority_key_identifier: bytes
    entries: tuple[bytes, ...]
    signature_algorithm: bytes = ECDSA
    this_update: datetime = START + timedelta(days=10)
    next_update: datetime = START + timedelta(days=17)
    number: int = 7
    distribution_point_url: str | None = None
    delta_base: int | None = None
    freshest_url: str | None = None

    @property
    def tbs(self) -> bytes:
        return to_be_signed_list(**vars(self))

    def change(self, **parts: object) -> CrlDraft:
        return replace(self, **parts)  # type: ignore[arg-type]

    def entry(self, serial: int = 0x77, *, ago: timedelta = timedelta(days=1), reason: int | None = 4) -> CrlDraft:
        at = int((self.this_update - ago).timestamp())
        return replace(self, entries=(*self.entries, encode_entries([(Serial(serial).hex, at, reason, None)])))


@dataclass(frozen=True, kw_only=True)
class OcspDraft:
    """The parts of an OCSP ResponseData."""

    responder_key: bytes
    cert_ids: tuple[CertId, ...]
    status: CertStatus | Revoked = CertStatus.GOOD
    produced_at: datetime = START + timedelta(days=10)
    this_update: datetime = START + timedelta(days=10)
    next_update: datetime | None = START + timedelta(days=10, hours=1)
    nonce: bytes | None = b"0123456789abcdef"
    extended_revoke: bool = False

    @property
    def tbs(self) -> bytes:
        return response_data(
            responder_key_hash=public_key_identifier(self.responder_key),
            produced_at=self.produced_at,
            responses=[
                single_response(cert_id, status=self.status, this_update=self.this_update, next_update=self.next_update)
                for cert_id in self.cert_ids
            ],
            nonce=self.nonce,
            extended_revoke=self.extended_revoke,
        )

    def change(self, **parts: object) -> OcspDraft:
        return replace(self, **parts)  # type: ignore[arg-type]


@dataclass(frozen=True)
class World:
    """A root, an authority under it, its responder, a server's certificate, a list and an answer."""

    root: CertificateDraft = field(init=False)
    issuing: CertificateDraft = field(init=False)
    responder: CertificateDraft = field(init=False)
    server: CertificateDraft = field(init=False)
    crl: CrlDraft = field(init=False)
    ocsp: OcspDraft = field(init=False)

    # For the tables of cases, which are written before any fixture exists.
    key = staticmethod(key)
    name = staticmethod(name)
    common_name = staticmethod(common_name)
    usages = staticmethod(usages)
    purposes = staticmethod(purposes)
    point = staticmethod(point)
    access = staticmethod(access)
    aki = staticmethod(aki)

    def __post_init__(self) -> None:
        ca_end = der.utc_time(START + timedelta(days=3650))
        root = CertificateDraft(
            subject=common_name("root"), issuer=common_name("root"), public_key_info=key(1), not_after=ca_end
        )
        root = self._ca(root, key(1), path_length=None)
        issuing = CertificateDraft(
            subject=common_name("issuing"), issuer=root.subject, public_key_info=key(2), not_after=ca_end
        )
        issuing = self._ca(issuing, key(1), path_length=0).plus(
            oids.CRL_DISTRIBUTION_POINTS, point("http://ca.example/1")
        )
        leaf = CertificateDraft(subject=common_name("server"), issuer=issuing.subject, public_key_info=key(3))
        server = (
            self._identified(leaf, key(2))
            .plus(oids.KEY_USAGE, usages(0), critical=True)
            .plus(oids.EXTENDED_KEY_USAGE, purposes("1.3.6.1.5.5.7.3.1"))
            .plus(oids.CERTIFICATE_POLICIES, der.sequence(der.sequence(der.oid("2.5.29.32.0"))))
            .plus(oids.SUBJECT_ALTERNATIVE_NAME, der.sequence(der.tlv(0x82, b"www.example.com")))
            .plus(oids.CRL_DISTRIBUTION_POINTS, point("http://ca.example/2"))
            .plus(oids.AUTHORITY_INFORMATION_ACCESS, access("1.3.6.1.5.5.7.48.1", "http://ca.example/ocsp"))
        )
        responder = leaf.change(subject=common_name("responder"), public_key_info=key(4))
        responder = (
            self._identified(responder, key(2))
            .plus(oids.KEY_USAGE, usages(0), critical=True)
            .plus(oids.EXTENDED_KEY_USAGE, purposes(OCSP_SIGNING))
            .plus(oids.OCSP_NOCHECK, der.NULL)
        )
        crl = CrlDraft(
            issuer=issuing.subject, authority_key_identifier=public_key_identifier(key(2)), entries=()
        ).entry(0x55)
        about = CertId.make(issuer=issuing.subject, issuer_public_key_info=key(2), serial=0x1234)
        for attribute, value in {
            "root": root,
            "issuing": issuing,
            "server": server,
            "responder": responder,
            "crl": crl,
            "ocsp": OcspDraft(responder_key=key(4), cert_ids=(about,)),
        }.items():
            object.__setattr__(self, attribute, value)

    def _ca(self, draft: CertificateDraft, issuer_key: bytes, *, path_length: int | None) -> CertificateDraft:
        length = b"" if path_length is None else der.integer(path_length)
        return (
            self._identified(draft, issuer_key)
            .plus(oids.BASIC_CONSTRAINTS, der.sequence(der.boolean(True), length), critical=True)
            .plus(oids.KEY_USAGE, usages(5, 6), critical=True)
        )

    def _identified(self, draft: CertificateDraft, issuer_key: bytes) -> CertificateDraft:
        own = public_key_identifier(draft.public_key_info)
        return draft.plus(oids.AUTHORITY_KEY_IDENTIFIER, aki(public_key_identifier(issuer_key))).plus(
            oids.SUBJECT_KEY_IDENTIFIER, der.octet_string(own)
        )


@pytest.fixture(scope="session")
def world() -> World:
    return World()
