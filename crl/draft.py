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
    follows: int
    """The number of the list, full or delta, that was the newest of this scope when the entries were read; 0 before the
    first."""
    base: int | None = None
    """Of a delta the number of the full list that it builds on."""
    this_update: datetime
    next_update: datetime
    entries: Sequence[bytes]
    """DER in the order of serial numbers; each member is a run of one or more."""
    count: int
    """How many there are."""
    distribution_point: str | None
    freshest: str | None = None
    """Where the deltas to this list lie."""
    seen: Sequence[int] = ()
    """Numbers of the notes of changes that this list has taken in."""

    @property
    def name(self) -> str:
        return self.scope.name if self.base is None else self.scope.delta_name

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
            delta_base=self.base,
            freshest_url=self.freshest,
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
            raise IntegrityAlarm(f"the list {self.name} was not published: {fault.detail}") from None
        point = () if self.distribution_point is None else (self.distribution_point,)
        freshest = () if self.freshest is None else (self.freshest,)
        for what, holds in (
            ("its issuer", crl.issuer == issuer.subject),
            ("its authority key identifier", crl.authority_key_identifier == self.scope.issuer.key_identifier),
            ("its number", crl.number == self.number),
            ("its base", crl.delta_base == self.base),
            ("its scope", crl.distribution_point_urls == point),
            ("the place of its deltas", crl.freshest_urls == freshest),
            ("its time", (crl.this_update, crl.next_update) == (self.this_update, self.next_update)),
            ("its entries", self._is_joined(crl.revoked)),
        ):
            if not holds:
                raise IntegrityAlarm(f"the list {self.name} was not published: {what} is not what was meant")

    def _is_joined(self, entries: memoryview) -> bool:
        at = 0
        for run in self.entries:
            if bytes(entries[at : at + len(run)]) != run:
                return False
            at += len(run)
        return at == len(entries)
