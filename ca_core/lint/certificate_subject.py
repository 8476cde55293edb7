"""A certificate under lint: decoded once, shared by all rules."""

from __future__ import annotations

from functools import cached_property

from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.errors import CaError, MalformedDer
from ca_core.lint.context import LintContext
from ca_core.x509 import extension_values
from ca_core.x509.algorithm import key_algorithm_of
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.extension import Extension
from ca_core.x509.name import Name
from ca_core.x509.tbs_certificate import TbsCertificate


class CertificateSubject:
    """Read leniently where a rule is there to judge, so that each fault is found by its own rule.

    Raises :class:`MalformedDer` for bytes that are no TBSCertificate at all.
    """

    def __init__(self, tbs: bytes, context: LintContext) -> None:
        self.tbs = TbsCertificate.parse(tbs)
        self.issuer: SignedCertificate | None = context.issuer
        self.not_before = self.tbs.not_before.time("notBefore")
        self.not_after = self.tbs.not_after.time("notAfter")
        self.subject = Name.of(self.tbs.subject)
        found: list[Extension] = []
        self.writes_default_critical = False
        """Whether some extension spells out ``critical FALSE``."""
        for element in self.tbs.extensions:
            members = element.sequence("an extension", least=2, most=3)
            critical = len(members) == 3 and members[1].boolean("the critical flag")
            self.writes_default_critical |= len(members) == 3 and not critical
            found.append(Extension(members[0].oid("an extension"), critical, members[-1].octets("an extension")))
        self.extensions = tuple(found)
        self._by_oid = {extension.oid: extension for extension in reversed(found)}

    def extension(self, oid: str) -> Extension | None:
        """The first extension of that type, if there is one."""
        return self._by_oid.get(oid)

    @cached_property
    def key_algorithm(self) -> KeyAlgorithm | None:
        """The kind of the certified key; None for one that its own rule refuses."""
        try:
            return key_algorithm_of(self.tbs.public_key_info.raw)
        except CaError:
            return None

    @cached_property
    def basic_constraints(self) -> tuple[bool, int | None]:
        """CA flag and path length; (False, None) when absent or broken, which its own rule refuses."""
        extension = self.extension(extension_values.BASIC_CONSTRAINTS)
        try:
            return extension_values.basic_constraints(extension.value) if extension else (False, None)
        except MalformedDer:
            return False, None

    @property
    def is_ca(self) -> bool:
        """Whether the certificate makes its subject a CA."""
        return self.basic_constraints[0]

    @cached_property
    def key_usage(self) -> frozenset[str]:
        """The usages by name; empty when absent or broken, which its own rule refuses."""
        extension = self.extension(extension_values.KEY_USAGE)
        try:
            return extension_values.key_usage(extension.value) if extension else frozenset()
        except MalformedDer:
            return frozenset()

    @cached_property
    def purposes(self) -> tuple[str, ...]:
        """The extended key purposes as OIDs; empty when absent or broken, which its own rule refuses."""
        extension = self.extension(extension_values.EXTENDED_KEY_USAGE)
        try:
            return extension_values.extended_key_usage(extension.value) if extension else ()
        except MalformedDer:
            return ()
