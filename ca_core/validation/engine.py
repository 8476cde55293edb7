"""The engine as we use it: RFC 5280 §6.1 without its revocation, and with our corrections."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Coroutine, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from asn1crypto import crl, x509
from pyhanko_certvalidator._state import ValProcState
from pyhanko_certvalidator.authority import AuthorityWithCert, CertTrustAnchor
from pyhanko_certvalidator.context import ValidationContext
from pyhanko_certvalidator.errors import PathValidationError
from pyhanko_certvalidator.ltv.poe import POEManager
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo, ValidationTimingParams
from pyhanko_certvalidator.name_trees import (
    PKIXSubtrees,
    default_excluded_subtrees,
    default_permitted_subtrees,
    process_general_subtrees,
)
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import (
    NO_REVOCATION,
    REQUIRE_REVINFO,
    CertRevTrustPolicy,
    PKIXValidationParams,
)
from pyhanko_certvalidator.registry import CertificateRegistry
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer
from pyhanko_certvalidator.revinfo.manager import RevinfoManager
from pyhanko_certvalidator.util import ConsList
from pyhanko_certvalidator.validate import intl_validate_path

from ca_core.domain.errors import IntegrityAlarm
from ca_core.domain.path_validation import NameConstraint, ValidationPolicy
from ca_core.validation.algorithms import AlgorithmPolicy
from ca_core.validation.failure import failure_of
from ca_core.validation.search import Chain
from ca_core.validation.signatures import JudgedSignatures

T = TypeVar("T")
# What it writes to the log of each path that does not hold is in the verdict.
logging.getLogger("pyhanko_certvalidator").setLevel(logging.ERROR)
ANY_POLICY = "2.5.29.32.0"
_NAMES = {"dns": "dns_name", "email": "rfc822_name", "uri": "uniform_resource_identifier"}


class Lists(RevinfoManager):
    """Lists and answers. The engine knows a list again by its signature alone, so that a forged one with the signature
    of another would be taken for it; here by all of it."""

    def __init__(self, registry: CertificateRegistry, lists: Iterable[CRLContainer]) -> None:
        super().__init__(certificate_registry=registry, poe_manager=POEManager(), crls=lists, ocsps=())
        self._issuers: dict[bytes, x509.Certificate] = {}
        self.consulted: list[crl.CertificateList] = []
        """Lists whose issuer and signature were right, since this was last emptied."""

    def record_crl_issuer(self, certificate_list: crl.CertificateList, cert: x509.Certificate) -> None:
        self._issuers[_digest(certificate_list)] = cert
        self.consulted.append(certificate_list)

    def check_crl_issuer(self, certificate_list: crl.CertificateList) -> x509.Certificate | None:
        issuer = self._issuers.get(_digest(certificate_list))
        if issuer is not None:
            self.consulted.append(certificate_list)
        return issuer

    def add(self, found: CRLContainer) -> None:
        """One list more."""
        self._crls = [*self._crls, found]

    def offer(self, answer: OCSPContainer) -> None:
        """This answer and no other."""
        self._ocsps = [answer]
        self._extract_ocsp_certs(answer)


class Context(ValidationContext):
    """The engine knows a validated certificate again by its signature alone; here by all of it."""

    _validated: dict[bytes, ValidationPath]

    def record_validation(self, cert: x509.Certificate, path: ValidationPath) -> None:
        self.__dict__.setdefault("_validated", {})[cert.sha256] = path

    def check_validation(self, cert: x509.Certificate) -> ValidationPath | None:
        found: ValidationPath | None = self.__dict__.setdefault("_validated", {}).get(cert.sha256)
        if found is None:
            anchor = self.path_builder.trust_manager.as_trust_anchor(AuthorityWithCert(cert))
            found = None if anchor is None else ValidationPath(anchor, interm=[], leaf=None)
        return found


def context_for(
    chain: Chain,
    *,
    moment: datetime,
    present: bool,
    algorithms: AlgorithmPolicy,
    others: Sequence[x509.Certificate] = (),
    lists: Iterable[CRLContainer] = (),
    revocation: bool = False,
) -> Context:
    """A context for one path. ``present``: what is revoked is revoked, even where its date is yet to come."""
    # The path's own first: the registry keeps one certificate of each issuer and serial number, and what merely came
    # along must not stand in the way of it.
    registry = CertificateRegistry.build([*chain, *others])
    context = Context(
        trust_roots=[chain[-1]],
        moment=moment,
        revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO if revocation else NO_REVOCATION),
        algorithm_usage_policy=algorithms,
        signature_validator=JudgedSignatures(algorithms, moment, chain),
        certificate_registry=registry,
        revinfo_manager=Lists(registry, lists),
        time_tolerance=timedelta(0),
    )
    info = ValidationTimingInfo(
        validation_time=moment, best_signature_time=moment, point_in_time_validation=not present
    )
    context.timing_params = ValidationTimingParams(info, time_tolerance=timedelta(0))
    return context


def path_of(chain: Chain) -> ValidationPath:
    """The chain as the engine has it: anchor first, then downwards."""
    leaf, *above = chain[:-1] or (None,)
    return ValidationPath(CertTrustAnchor(chain[-1]), interm=above[::-1], leaf=leaf)


def check_path(chain: Chain, policy: ValidationPolicy, *, moment: datetime, algorithms: AlgorithmPolicy) -> list[str]:
    """OIDs of the policies that hold along the chain. Failure where a rule of RFC 5280 §6.1 is broken."""
    path = path_of(chain)
    state = ValProcState(cert_path_stack=ConsList.sing(path))
    context = context_for(chain, moment=moment, present=False, algorithms=algorithms)
    try:
        finish(intl_validate_path(context, path, proc_state=state, parameters=parameters_of(policy)))
    except PathValidationError as error:
        raise failure_of(error, len(chain) - 1 - state.index) from None
    found = path.qualified_policies() or frozenset()
    names = {one.user_domain_policy_id for one in found}
    return sorted(ANY_POLICY if name == "any_policy" else name for name in names)


def parameters_of(policy: ValidationPolicy) -> PKIXValidationParams:
    """The inputs (c) to (i) of RFC 5280 §6.1.1."""
    return PKIXValidationParams(
        user_initial_policy_set=frozenset(policy.certificate_policies - {ANY_POLICY}) or frozenset({"any_policy"}),
        initial_policy_mapping_inhibit=policy.inhibit_policy_mapping,
        initial_explicit_policy=policy.explicit_policy,
        initial_any_policy_inhibit=policy.inhibit_any_policy,
        initial_permitted_subtrees=_subtrees(policy.permitted, default_permitted_subtrees()),
        initial_excluded_subtrees=_subtrees(policy.excluded, default_excluded_subtrees()),
    )


def finish(work: Coroutine[Any, Any, T]) -> T:
    """The result of what waits for nothing: everything that the engine asks for is at hand."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    work.close()
    raise IntegrityAlarm("path validation waits for something that it was not given")


def _subtrees(names: Sequence[NameConstraint], otherwise: PKIXSubtrees) -> PKIXSubtrees:
    """``otherwise`` is what holds for the kinds of names that are not named."""
    general = x509.GeneralSubtrees([{"base": x509.GeneralName(name=_NAMES[one.kind], value=one.base)} for one in names])
    return {**otherwise, **process_general_subtrees(general)}


def _digest(certificate_list: crl.CertificateList) -> bytes:
    return hashlib.sha256(certificate_list.dump()).digest()
