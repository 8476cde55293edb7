"""A CRL under lint."""

from __future__ import annotations

from ca_core.domain.errors import InvalidInput
from ca_core.lint.context import LintContext
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.crl import CertificateList
from ca_core.x509.extension import Extension


class CrlSubject:
    """A TBSCertList that was read, and its issuer. Raises :class:`MalformedDer` for bytes that are none."""

    def __init__(self, tbs: bytes, context: LintContext) -> None:
        if context.issuer is None:
            raise InvalidInput("a CRL is linted with its issuer's certificate")
        self.issuer: SignedCertificate = context.issuer
        self.crl = CertificateList.unsigned(tbs)
        self._by_oid = {extension.oid: extension for extension in self.crl.extensions}

    def extension(self, oid: str) -> Extension | None:
        """The extension of that type, if there is one."""
        return self._by_oid.get(oid)
