"""Whether a certificate of a chain is revoked: by our own store, an OCSP response, a list."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from asn1crypto import x509
from pyhanko_certvalidator._state import ValProcState
from pyhanko_certvalidator.errors import (
    CRLValidationError,
    CRLValidationIndeterminateError,
    OCSPValidationError,
    OCSPValidationIndeterminateError,
    PathValidationError,
    RevokedError,
)
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer
from pyhanko_certvalidator.revinfo.validate_crl import verify_crl
from pyhanko_certvalidator.revinfo.validate_ocsp import verify_ocsp_response
from pyhanko_certvalidator.util import ConsList

from ca_core.domain.errors import CaError
from ca_core.domain.path_validation import (
    Evidence,
    EvidenceKind,
    OwnState,
    OwnStatus,
    Reason,
    RevocationChecking,
    ValidationPolicy,
)
from ca_core.validation.algorithms import AlgorithmPolicy
from ca_core.validation.engine import Context, Lists, context_for, finish, path_of
from ca_core.validation.evidence import concerns, has_impostor, is_by, is_fresh, of_answer, of_list
from ca_core.validation.failure import HOLD, Failure, failure_of, revoked_failure
from ca_core.validation.search import Chain

log = logging.getLogger(__name__)

Fetching = Callable[[x509.Certificate, x509.Certificate], Iterator[CRLContainer | Sequence[OCSPContainer]]]
"""What can be fetched about a certificate of an issuer, one after the other."""


@dataclass
class Findings:
    """What was used, and what could not be found out."""

    evidence: list[Evidence] = field(default_factory=list)
    unknown: list[Failure] = field(default_factory=list)


class RevocationCheck:
    """Of one chain at one moment."""

    def __init__(
        self,
        chain: Chain,
        own: Sequence[OwnStatus | None],
        *,
        policy: ValidationPolicy,
        moment: datetime,
        present: bool,
        algorithms: AlgorithmPolicy,
        others: Sequence[x509.Certificate],
        lists: Sequence[CRLContainer],
        answers: Sequence[OCSPContainer],
        fetch: Fetching | None,
    ) -> None:
        """``own`` are the statuses of the chain's certificates, None of those that are not ours."""
        self._chain = chain
        self._own = own
        self._policy = policy
        self._moment = moment
        self._lists = [one for one in lists if is_fresh(one, moment, policy.freshness)]
        self._answers = [one for one in answers if is_fresh(one, moment, policy.freshness)]
        self._stale = len(self._lists) < len(lists) or len(self._answers) < len(answers)
        self._fetch = fetch
        self._path = path_of(chain)
        self._context: Context = context_for(
            chain,
            moment=moment,
            present=present,
            algorithms=algorithms,
            others=others,
            lists=self._lists,
            revocation=True,
        )
        manager = self._context.revinfo_manager
        assert isinstance(manager, Lists)
        self._manager = manager
        self._found = Findings()

    def run(self) -> Findings:
        """Every certificate below the anchor, from above; of the anchor what our own store says.

        Failure for the first that is revoked, or of which nothing is known where that is asked for."""
        done = ValidationPath(self._path.trust_anchor, interm=[], leaf=None)
        self._context.record_validation(self._chain[-1], done)
        for place in reversed(range(len(self._chain))):
            certificate, status = self._chain[place], self._own[place]
            if status is not None:
                self._by_own_store(status, place)
            elif place < len(self._chain) - 1 and self._policy.revocation is not RevocationChecking.NONE:
                self._by_others(certificate, place)
            if place < len(self._chain) - 1:
                done = done.copy_and_append(certificate)
                self._context.record_validation(certificate, done)
        return self._found

    def _by_own_store(self, status: OwnStatus, place: int) -> None:
        if status.state is OwnState.NEVER_ISSUED:
            words = "was not issued here, though it is signed with the key of an authority of ours"
            raise Failure(Reason.NEVER_ISSUED, words, position=place)
        if self._policy.revocation is RevocationChecking.NONE:
            return
        since = status.since
        counts = since is None or since <= self._moment
        held = status.state is OwnState.HELD
        if counts and (status.state is OwnState.REVOKED or (held and self._policy.hold_is_revoked)):
            raise revoked_failure(HOLD if held else status.reason or "unspecified", since, place)
        self._found.evidence.append(
            Evidence(certificate=place, kind=EvidenceKind.STORE, this_update=self._moment, next_update=self._moment)
        )

    def _by_others(self, certificate: x509.Certificate, place: int) -> None:
        issuer = self._chain[place + 1]
        if any(self._good_by(answer, certificate, issuer, place) for answer in self._answers):
            return
        if self._good_by_lists(certificate, place):
            return
        for found in self._fetch(certificate, issuer) if self._fetch else ():
            if isinstance(found, CRLContainer):
                if not self._take(found):
                    continue
                if self._good_by_lists(certificate, place):
                    return
            elif any(
                is_fresh(answer, self._moment, self._policy.freshness)
                and self._good_by(answer, certificate, issuer, place)
                for answer in found
            ):
                return
        reason, words = Reason.STATUS_UNKNOWN, "has a status that nobody tells"
        if self._stale:
            reason, words = Reason.STATUS_STALE, "has a status that is told by data that is too old only"
        failure = Failure(reason, words, position=place)
        if self._policy.revocation is RevocationChecking.HARD:
            raise failure
        self._found.unknown.append(failure)

    def _take(self, found: CRLContainer) -> bool:
        if not is_fresh(found, self._moment, self._policy.freshness):
            self._stale = True
            return False
        self._lists.append(found)
        self._manager.add(found)
        return True

    def _good_by(
        self, answer: OCSPContainer, certificate: x509.Certificate, issuer: x509.Certificate, place: int
    ) -> bool:
        if not concerns(answer, certificate) or has_impostor(answer, issuer):
            return False
        self._manager.offer(answer)
        try:
            finish(verify_ocsp_response(certificate, self._path, self._context, proc_state=self._state(place)))
        except RevokedError as error:
            self._revoked(error, place)
        except OCSPValidationIndeterminateError as error:
            self._stale |= error.suspect_stale is not None
            return False
        except (OCSPValidationError, PathValidationError):
            return False
        except CaError:
            raise
        except Exception as fault:
            return _nothing_told(fault)
        self._found.evidence.append(of_answer(answer, place))
        return True

    def _good_by_lists(self, certificate: x509.Certificate, place: int) -> bool:
        if not self._lists:
            return False
        manager = self._manager
        manager.consulted.clear()
        try:
            finish(verify_crl(certificate, self._path, self._context, proc_state=self._state(place)))
        except RevokedError as error:
            self._revoked(error, place)
        except CRLValidationIndeterminateError as error:
            self._stale |= error.suspect_stale is not None
            return False
        except (CRLValidationError, PathValidationError):
            return False
        except CaError:
            raise
        except Exception as fault:
            return _nothing_told(fault)
        used = {one.dump(): one for one in manager.consulted if is_by(one, certificate.issuer)}.values()
        self._found.evidence.extend(of_list(one, place) for one in used if self._is_in_force(one))
        return True

    def _is_in_force(self, found: object) -> bool:
        usable = CRLContainer(found).usable_at(self._context.revinfo_policy, self._context.timing_params)
        return bool(usable.rating.usable_ades)

    def _revoked(self, error: RevokedError, place: int) -> None:
        """A hold that does not count is let pass."""
        failure = failure_of(error, place)
        if failure.reason is Reason.ON_HOLD and not self._policy.hold_is_revoked:
            return
        raise failure from None

    def _state(self, place: int) -> ValProcState:
        return ValProcState(cert_path_stack=ConsList.sing(self._path), init_index=len(self._chain) - 1 - place)


def _nothing_told(fault: Exception) -> bool:
    """The engine takes asn1crypto's word for foreign bytes; where they hold something else they tell nothing."""
    log.warning("revocation data cannot be judged: %s", type(fault).__name__)
    return False
