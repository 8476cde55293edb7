"""Authorities of the tests' own, in memory: made by another library than the one that judges them."""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding

from ca_core.domain.path_validation import OwnStatus, PathVerdict, Question, ValidationLimits, ValidationPolicy
from ca_core.validation.validator import PathValidator

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@functools.cache
def key(name: str) -> Any:
    return ec.generate_private_key(ec.SECP256R1())


@functools.cache
def rsa_key(name: str, bits: int) -> Any:
    return rsa.generate_private_key(65537, bits)


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def usage(*names: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{one: one in names for one in USAGES})


def certificate(
    subject: str,
    issuer: str,
    *extensions: tuple[x509.ExtensionType, bool],
    ca: bool = True,
    path_length: int | None = None,
    begins: datetime = NOW - 10 * DAY,
    ends: datetime = NOW + 10 * DAY,
    subject_key: Any = None,
    issuer_key: Any = None,
    serial: int | None = None,
    key_usage: x509.KeyUsage | None = None,
) -> x509.Certificate:
    """As an authority of the names' keys makes it; ``ca`` with basicConstraints and keyUsage of one."""
    own, signing = subject_key or key(subject), issuer_key or key(issuer)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named(issuer))
        .public_key(own.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
    )
    if ca:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    allowed = key_usage or (usage("key_cert_sign", "crl_sign") if ca else usage("digital_signature"))
    builder = builder.add_extension(allowed, critical=True)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signing, hashes.SHA256())


def with_sha1(one: x509.Certificate, signing: Any) -> x509.Certificate:
    """The same, signed as nobody does any more: the library that makes certificates here refuses to."""
    changed = asn1_x509.Certificate.load(der(one))
    changed["tbs_certificate"]["signature"] = changed["signature_algorithm"] = {"algorithm": "sha1_ecdsa"}
    digest = hashlib.sha1(changed["tbs_certificate"].dump()).digest()
    changed["signature_value"] = signing.sign(digest, ec.ECDSA(Prehashed(hashes.SHA1())))
    return x509.load_der_x509_certificate(changed.dump())


def der(one: Any) -> bytes:
    found: bytes = one.public_bytes(Encoding.DER)
    return found


def revocation_list(
    issuer: str,
    *revoked: tuple[x509.Certificate, x509.ReasonFlags, datetime],
    number: int = 1,
    made: datetime = NOW - DAY,
    until: datetime = NOW + DAY,
    signing: Any = None,
) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(named(issuer))
        .last_update(made)
        .next_update(until)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key((signing or key(issuer)).public_key()), critical=False
        )
    )
    for one, reason, since in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.serial_number).revocation_date(since)
        builder = builder.add_revoked_certificate(entry.add_extension(x509.CRLReason(reason), critical=False).build())
    return der(builder.sign(signing or key(issuer), hashes.SHA256()))


@dataclass
class Judge:
    """Asks as the service does, with what the test knows of its own store."""

    limits: ValidationLimits = field(default_factory=ValidationLimits)
    anchors: Sequence[x509.Certificate] = ()
    own: dict[bytes, OwnStatus] = field(default_factory=dict)
    fetched: Any = None
    monotonic: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self.validator = PathValidator(limits=self.limits, monotonic=self.monotonic, fetched=self.fetched)

    def __call__(
        self,
        one: x509.Certificate | bytes,
        *intermediates: x509.Certificate,
        anchors: Sequence[x509.Certificate] | None = None,
        lists: Sequence[bytes] = (),
        responses: Sequence[bytes] = (),
        at: datetime | None = None,
        now: datetime = NOW,
        **policy: Any,
    ) -> PathVerdict:
        question = Question(
            certificate=one if isinstance(one, bytes) else der(one),
            intermediates=tuple(map(der, intermediates)),
            lists=tuple(lists),
            responses=tuple(responses),
            at=at,
            policy=ValidationPolicy(**policy),
        )
        return self.validator.validate(
            question,
            anchors=list(map(der, self.anchors if anchors is None else anchors)),
            own=(),
            statuses=lambda chain: [self.own.get(one) for one in chain],
            now=now,
        )


@pytest.fixture
def root() -> x509.Certificate:
    return certificate("root", "root")


@pytest.fixture
def judge(root: x509.Certificate) -> Judge:
    return Judge(anchors=[root])
