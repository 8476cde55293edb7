"""Tokens of one time-stamping authority: composed, linted, signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ca_core.domain.authority import Authority
from ca_core.domain.errors import TimestampRefused
from ca_core.domain.identifiers import Serial
from ca_core.domain.pki_failure import PkiFailure
from ca_core.lint import LintedTbs, TimestampLintContext, lint_timestamp
from ca_core.services.ports import Signer
from ca_core.x509.certificate import read_issuer
from ca_core.x509.signed_data import digest_of, signed_attributes, signed_data, signing_certificate
from ca_core.x509.timestamp import TimestampRequest
from ca_core.x509.tst_info import TST_INFO, TstInfo


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A token that lacks its signature."""

    request: TimestampRequest
    info: TstInfo
    content: bytes
    """DER of ``info``."""
    linted: LintedTbs


class TokenComposer:
    """For one authority. ``chain`` are the certificates of those above it that go with its own; None when one of them
    is not here."""

    def __init__(
        self,
        authority: Authority,
        signer: Signer,
        *,
        chain: Sequence[bytes] | None,
        accuracy: timedelta,
        ordering: bool,
    ) -> None:
        self.authority = authority
        self.signer = signer
        self._chain = chain
        self._accuracy = accuracy
        self._ordering = ordering
        self._certificate = read_issuer(authority.certificate)
        self._digest = digest_of(signer.algorithm)
        self._names_certificate = signing_certificate(self._certificate)

    def draft(self, request: TimestampRequest, *, policy: str, serial: Serial, gen_time: datetime) -> Draft:
        """Compose and lint; LintFailed when a rule objects, TimestampRefused (addInfoNotAvailable) when certificates
        are asked for that are not here."""
        if request.certificates and self._chain is None:
            raise TimestampRefused(
                "a certificate above the authority's is not here", failure=PkiFailure.ADD_INFO_NOT_AVAILABLE
            )
        info = TstInfo(
            policy=policy,
            imprint=request.imprint,
            serial=serial,
            gen_time=gen_time,
            accuracy=self._accuracy,
            ordering=self._ordering,
            nonce=request.nonce,
            tsa=self._certificate.subject,
        )
        content = info.der
        attributes = signed_attributes(TST_INFO, content, self._digest, self._names_certificate)
        context = TimestampLintContext(
            request=request,
            tsa_certificate=self.authority.certificate,
            digest=self._digest,
            signature_algorithm=self.signer.algorithm_identifier,
        )
        linted = lint_timestamp(attributes, content, context)
        return Draft(request=request, info=info, content=content, linted=linted)

    def token(self, draft: Draft, signature: bytes) -> bytes:
        """The DER TimeStampToken; certificates are in it only where they were asked for (RFC 3161 §2.4.2)."""
        certificates = (self.authority.certificate, *(self._chain or ())) if draft.request.certificates else ()
        return signed_data(
            TST_INFO,
            draft.content,
            signer=self._certificate,
            digest=self._digest,
            attributes=draft.linted.der,
            signature_algorithm=draft.linted.signature_algorithm,
            signature=signature,
            certificates=certificates,
        )
