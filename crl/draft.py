"""A list before and after its signature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ca_core.domain.errors import CaError, IntegrityAlarm
from ca_core.lint import LintContext, lint_crl
from ca_core.services.ports import Signer
from ca_core.services.signing import signature_over
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.crl import CertificateList, assemble, to_be_signed_list
from ca_core.x509.signature import verify_signature
from crl.scope import ListScope


@dataclass(frozen=True, kw_only=True)
class Draft:
    """All that a list is to say. Its number is on record already and is used for nothing else."""

    scope: ListScope
    number: int
    this_update: datetime
    next_update: datetime
    entries: Sequence[bytes]
    """DER, in the order of their serial numbers."""
    distribution_point: str | None

    def sign(self, signer: Signer) -> bytes:
        """The DER CertificateList over what passed the lint. LintFailed, KeyUnavailable; IntegrityAlarm when the key is
        not the issuer's or its signature does not verify."""
        issuer = SignedCertificate.parse(self.scope.issuer.certificate)
        tbs = to_be_signed_list(
            signature_algorithm=signer.algorithm_identifier,
            issuer=issuer.subject,
            this_update=self.this_update,
            next_update=self.next_update,
            entries=self.entries,
            number=self.number,
            authority_key_identifier=self.scope.issuer.key_identifier,
            distribution_point_url=self.distribution_point,
        )
        linted = lint_crl(tbs, LintContext(issuer_certificate=issuer.der))
        return assemble(linted.der, linted.signature_algorithm, signature_over(linted, signer))

    def verify(self, signed: bytes) -> None:
        """Read the list as a relying party does: signature by the issuer's certificate, number, scope and entries
        (invariant 8). IntegrityAlarm when it does not say what this draft says."""
        issuer = SignedCertificate.parse(self.scope.issuer.certificate)
        try:
            crl = CertificateList.parse(signed)
            verify_signature(issuer.public_key_info, crl.signature_algorithm, crl.tbs, crl.signature)
        except CaError as fault:
            raise IntegrityAlarm(f"the list {self.scope.name} was not published: {fault.detail}") from None
        point = () if self.distribution_point is None else (self.distribution_point,)
        for what, holds in (
            ("its issuer", crl.issuer == issuer.subject),
            ("its authority key identifier", crl.authority_key_identifier == self.scope.issuer.key_identifier),
            ("its number", crl.number == self.number),
            ("its scope", crl.distribution_point_urls == point and crl.delta_base is None),
            ("its time", (crl.this_update, crl.next_update) == (self.this_update, self.next_update)),
            ("its entries", crl.revoked == b"".join(self.entries)),
        ):
            if not holds:
                raise IntegrityAlarm(f"the list {self.scope.name} was not published: {what} is not what was meant")
