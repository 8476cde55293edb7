"""An authority in memory: every shipped profile, keys of every kind, all made exactly as the program makes it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import cycle

import pytest
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from ca_core.domain.algorithms import DEFAULT_SIGNATURE, KeyAlgorithm, SignatureAlgorithm
from ca_core.domain.identifiers import Serial
from ca_core.domain.profile import Environment, Profile, SubjectClass
from ca_core.keys.key_material import make_key, public_key_info, signing
from ca_core.keys.software import SoftwareSigner
from ca_core.lint import LintContext, OcspLintContext, lint_crl, lint_ocsp_response
from ca_core.packs import shipped_packs
from ca_core.packs.catalogue import PackCatalogue
from ca_core.packs.loader import load_packs
from ca_core.services.certificate_content import compose
from ca_core.services.signing import sign_certificate, signature_over
from ca_core.x509.algorithm import public_key_identifier, signature_algorithm_identifier
from ca_core.x509.certificate import SignedCertificate, assemble
from ca_core.x509.crl import to_be_signed_list
from ca_core.x509.crl_entries import encode_entries
from ca_core.x509.extensions import check_extension_rule
from ca_core.x509.ocsp import (
    NEVER_ISSUED,
    CertId,
    CertStatus,
    ResponseStatus,
    Revoked,
    basic_response,
    ocsp_response,
    response_data,
    single_response,
)
from plugins.counterparties.identifiers import ca_evidence_checks, ca_identifier_rules

DAY = datetime(2026, 11, 24, tzinfo=UTC).date()
NOW = datetime.now(UTC).replace(microsecond=0)
"""openssl compares with the machine's clock."""

SUBJECTS: Mapping[str, Mapping[str, str]] = {
    "private": {"C": "AQ", "O": "Organisation d'essai", "OU": "Отдел", "CN": "www.example.com"},
    "eu-eidas": {
        "C": "BE",
        "O": "Exemple & Fils",
        "organizationIdentifier": "VATBE-0123456789",
        "CN": "Zoë Müller-Łącka",
        "SN": "Müller-Łącka",
        "givenName": "Zoë",
        "serialNumber": "PASBE-AB123456",
    },
    "ru-63fz": {
        "ST": "77 г. Москва",
        "L": "Москва",
        "STREET": "ул. Примерная, д. 1, офис 2",
        "O": 'ООО "Пример"',
        "OU": "Бухгалтерия",
        "title": "Генеральный директор",
        "CN": "Иванов Иван Иванович",
        "SN": "Иванов",
        "givenName": "Иван Иванович",
        "OGRN": "1027700132195",
        "OGRNIP": "304500116000157",
        "SNILS": "11223344595",
        "INNLE": "7707083893",
        "INN": "500100732259",
    },
}
SANS: Mapping[str, Sequence[tuple[str, str]]] = {
    "dns": [("dns", "www.example.com"), ("dns", "xn--e1afmkfd.example.com")],
    "ip": [("ip", "192.0.2.1"), ("ip", "2001:db8::1")],
    "email": [("email", "somebody@example.com")],
    "uri": [("uri", "https://example.com/somebody")],
}
URLS = {
    "crl": "http://ca.example.com/crl/1.crl",
    "ocsp": "http://ca.example.com/ocsp",
    "ca_issuers": "http://ca.example.com/aia/1.cer",
}
OWN_SUBJECT = {"private/smime": {"CN": "somebody@example.com"}}
"""Subjects that a profile ties to something else: here to the mailbox."""


@cache
def _key(kind: KeyAlgorithm, number: int) -> PrivateKeyTypes:
    return make_key(kind)


def software_signer(kind: KeyAlgorithm, algorithm: SignatureAlgorithm, *, number: int = 0) -> SoftwareSigner:
    """A signer as the software key store makes it, of a key that is made once."""
    key = _key(kind, number)
    return SoftwareSigner(
        algorithm=algorithm,
        algorithm_identifier=signature_algorithm_identifier(algorithm),
        public_key_info=public_key_info(key),
        sign=signing(key, algorithm),
    )


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A certificate with the key that belongs to it."""

    certificate: SignedCertificate
    signer: SoftwareSigner


@dataclass(frozen=True, kw_only=True)
class Chain:
    """Root, issuing authority and responder, all signing with one algorithm."""

    root: Authority
    issuing: Authority
    responder: Authority


class Conformance:
    """Makes certificates, lists and answers."""

    def __init__(self, catalogue: PackCatalogue) -> None:
        self.catalogue = catalogue
        self._chains: dict[tuple[str, KeyAlgorithm, SignatureAlgorithm], Chain] = {}

    @property
    def profiles(self) -> Sequence[Profile]:
        return self.catalogue.profiles(DAY)

    def certificate(
        self,
        profile: Profile,
        key: KeyAlgorithm,
        issuer: Authority | None,
        *,
        signature: SignatureAlgorithm | None = None,
        full: bool = True,
        number: int = 0,
        urls: Mapping[str, str] = URLS,
    ) -> SignedCertificate:
        """A certificate of that profile; with all that it allows, or with no more than it requires."""
        own = software_signer(key, signature or DEFAULT_SIGNATURE[key], number=number)
        signer = issuer.signer if issuer else own
        identification = next(iter(profile.identification), None)
        content = compose(
            profile,
            issuer_certificate=issuer.certificate.der if issuer else None,
            signature_algorithm=signer.algorithm_identifier,
            subject=self._subject(profile, full=full),
            san=self._san(profile, full=full),
            identification=identification,
            public_key_info=own.public_key_info,
            serial=Serial.random(secrets.token_bytes),
            now=NOW,
            urls={**URLS, **urls},
        )
        return SignedCertificate.parse(sign_certificate(content.linted, signer))

    def chain(self, pack: str, key: KeyAlgorithm, signature: SignatureAlgorithm) -> Chain:
        """The authorities above that pack's subscribers, made by its own profiles where it has them."""
        chain = self._chains.get((pack, key, signature))
        if chain is None:
            root = self._authority("private/root-ca", key, signature, None, number=1)
            own = f"{pack}/issuing-ca"
            named = own if any(profile.key == own for profile in self.profiles) else "private/issuing-ca"
            issuing = self._authority(named, key, signature, root, number=2)
            responder = self._authority("private/ocsp-responder", key, signature, issuing, number=3)
            chain = self._chains[pack, key, signature] = Chain(root=root, issuing=issuing, responder=responder)
        return chain

    def crl(self, issuer: Authority, *, entries: int, point: str | None = None, delta_base: int | None = None) -> bytes:
        """A list with entries for every reason that may stand in it."""
        reasons = [None, 1, 2, 3, 4, 5, 6, 9, 10, *([8] if delta_base is not None else [])]
        now = int(NOW.timestamp())
        tbs = to_be_signed_list(
            signature_algorithm=issuer.signer.algorithm_identifier,
            issuer=issuer.certificate.subject,
            this_update=NOW,
            next_update=NOW + timedelta(days=7),
            entries=[
                encode_entries(
                    (f"{0x1000 + n:04x}", now - n * 3600, reason, now - 86_400 if reason == 1 else None)
                    for n, reason in zip(range(entries), cycle(reasons), strict=False)
                )
            ],
            number=7,
            authority_key_identifier=public_key_identifier(issuer.signer.public_key_info),
            distribution_point_url=point,
            delta_base=delta_base,
        )
        linted = lint_crl(tbs, LintContext(issuer_certificate=issuer.certificate.der))
        return assemble(linted.der, linted.signature_algorithm, signature_over(linted, issuer.signer))

    def ocsp(
        self, chain: Chain, *statuses: CertStatus | Revoked, nonce: bytes | None = None, digest: str = "sha256"
    ) -> bytes:
        """An answer with those statuses, signed by the delegated responder."""
        cert_ids = [
            CertId.make(
                issuer=chain.issuing.certificate.subject,
                issuer_public_key_info=chain.issuing.signer.public_key_info,
                serial=0x1000 + n,
                digest=digest,
            )
            for n in range(len(statuses))
        ]
        data = response_data(
            responder_key_hash=public_key_identifier(chain.responder.signer.public_key_info),
            produced_at=NOW,
            responses=[
                single_response(cert_id, status=status, this_update=NOW, next_update=NOW + timedelta(hours=1))
                for cert_id, status in zip(cert_ids, statuses, strict=True)
            ],
            nonce=nonce,
            extended_revoke=NEVER_ISSUED in statuses,
        )
        context = OcspLintContext(
            issuer_certificate=chain.issuing.certificate.der,
            responder_certificate=chain.responder.certificate.der,
            signature_algorithm=chain.responder.signer.algorithm_identifier,
        )
        linted = lint_ocsp_response(data, context)
        basic = basic_response(
            linted.der,
            signature_algorithm=linted.signature_algorithm,
            signature=signature_over(linted, chain.responder.signer),
            certificates=[chain.responder.certificate.der],
        )
        return ocsp_response(ResponseStatus.SUCCESSFUL, basic)

    def _authority(
        self, profile: str, key: KeyAlgorithm, signature: SignatureAlgorithm, issuer: Authority | None, *, number: int
    ) -> Authority:
        certificate = self.certificate(
            self.catalogue.profile(profile, on=DAY), key, issuer, signature=signature, number=number
        )
        return Authority(certificate=certificate, signer=software_signer(key, signature, number=number))

    def _subject(self, profile: Profile, *, full: bool) -> dict[str, str]:
        values = {**SUBJECTS[profile.pack], **OWN_SUBJECT.get(profile.key, {})}
        if profile.subject_class is SubjectClass.AUTHORITY:
            values["CN"] = f"Test {profile.name}"
        return {
            rule.name: values[rule.name] for rule in profile.subject if rule.fixed is None and (full or rule.required)
        }

    def _san(self, profile: Profile, *, full: bool) -> list[tuple[str, str]]:
        required = any(
            rule.kind == "subject_alternative_name" and rule.parameters.get("required") for rule in profile.extensions
        )
        types = sorted(profile.san_types)
        if not full:
            types = types[:1] if required else []
        return [name for kind in types for name in SANS[kind]]


@pytest.fixture(scope="session")
def conformance() -> Conformance:
    """The maker, over the packs as they are shipped."""
    return Conformance(
        load_packs(
            shipped_packs(),
            environment=Environment.PRODUCTION,
            identifier_rules=ca_identifier_rules().keys(),
            evidence_checks=[check.name for check in ca_evidence_checks()],
            check_extension=check_extension_rule,
        )
    )
