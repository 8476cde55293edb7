"""Another authority, with its certificates, lists and index, as a centre brings them along."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.importing import Refusal
from ca_core.services.certificate_import import ImportReport
from ca_core.x509.bundle import pieces

NOW = datetime.now(UTC).replace(microsecond=0)
KEY = ec.generate_private_key(ec.SECP256R1())
"""Of every subscriber, since only the authorities' keys matter here."""
USAGE = x509.KeyUsage(False, False, False, False, False, True, True, False, False)


def name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "XX"),
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Former"),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, common),
        ]
    )


@dataclass
class Former:
    """One authority of the former software."""

    common: str
    parent: Former | None = None
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    certificate: x509.Certificate = field(init=False)

    def __post_init__(self) -> None:
        signer = self.parent or self
        builder = (
            x509.CertificateBuilder(name(signer.common), name(self.common), self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=400))
            .not_valid_after(NOW + timedelta(days=4000))
            .add_extension(x509.BasicConstraints(True, None), True)
            .add_extension(USAGE, True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False)
            .add_extension(signer.identifier, False)
        )
        self.certificate = builder.sign(signer.key, hashes.SHA256())

    @property
    def identifier(self) -> x509.AuthorityKeyIdentifier:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def another(self, common: str) -> Former:
        return Former(common)

    def bundle(self, *certificates: x509.Certificate) -> bytes:
        return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)

    def ders(self, *certificates: x509.Certificate) -> bytes:
        return b"".join(one.public_bytes(Encoding.DER) for one in certificates)

    def key_pem(self, passphrase: bytes | None = None) -> bytes:
        encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)

    def issue(
        self,
        common: str = "subscriber",
        *,
        serial: int | None = None,
        key: Any = KEY,
        identifier: x509.AuthorityKeyIdentifier | None = None,
    ) -> x509.Certificate:
        return (
            x509.CertificateBuilder(name(self.common), name(common), key.public_key())
            .serial_number(serial or x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=100))
            .not_valid_after(NOW + timedelta(days=265))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(identifier or self.identifier, False)
            .sign(self.key, hashes.SHA256())
        )

    def crl(
        self, revoked: Iterable[tuple[x509.Certificate | int, x509.ReasonFlags]] = (), *, number: int = 500
    ) -> bytes:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(name(self.common))
            .last_update(NOW - timedelta(hours=1))
            .next_update(NOW + timedelta(days=3))
            .add_extension(x509.CRLNumber(number), False)
            .add_extension(self.identifier, False)
        )
        for which, reason in revoked:
            entry = x509.RevokedCertificateBuilder().revocation_date(NOW - timedelta(days=9))
            entry = entry.serial_number(which if isinstance(which, int) else which.serial_number)
            if reason is not x509.ReasonFlags.unspecified:
                entry = entry.add_extension(x509.CRLReason(reason), False)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)


@dataclass
class Outcome:
    report: ImportReport
    refused: Sequence[Refusal]

    @property
    def counts(self) -> tuple[int, int, int]:
        return self.report.taken, self.report.known, self.report.refused


@pytest.fixture(scope="session")
def former_root() -> Former:
    return Former("Former Root")


@pytest.fixture(scope="session")
def former(former_root: Former) -> Former:
    return Former("Former Issuing", former_root)


@pytest.fixture
def taken_over(house: Any, former: Former, former_root: Former) -> Any:
    """Root (its key elsewhere) and issuing authority are here, with a responder."""
    take_in = house.services.authority_import.take_in
    take_in(SYSTEM_ACTOR, "former-root", former_root.pem)
    issuing = take_in(SYSTEM_ACTOR, "former", former.pem, private_key=former.key_pem())
    house.services.authorities.renew_responders(SYSTEM_ACTOR)
    return issuing


@pytest.fixture
def take_in(house: Any, taken_over: Any) -> Callable[..., Outcome]:
    """``take_in(bundle, crl=…)``, or ``index=…``."""

    def run(*files: bytes, crl: bytes = b"", index: bytes | None = None, by: Any = None, **options: Any) -> Outcome:
        service = house.services.certificate_import
        actor = by or house.officer
        lists = [crl] if crl else []
        status = service.former_status(actor, "former", lists=lists, index=index)
        refused: list[Refusal] = []
        given = (piece for number, data in enumerate(files) for piece in pieces(f"file-{number}", data))
        report = service.take_in(actor, "former", given, status, refuse=refused.append, **options)
        return Outcome(report, refused)

    return run


@pytest.fixture
def judged(tmp_path: Path, former: Former, former_root: Former) -> Path:
    """Where openssl judges: the chain."""
    (tmp_path / "former.pem").write_bytes(former.pem)
    (tmp_path / "ca.pem").write_bytes(former.pem + former_root.pem)
    return tmp_path
