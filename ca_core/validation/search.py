"""The search for paths from a certificate up to an anchor, shortest first and within limits (RFC 4158).

Our own and not the engine's: that one descends without bound, so that a thousand certificates end it by recursion."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from asn1crypto import x509
from cryptography.exceptions import InvalidSignature
from pyhanko_certvalidator.errors import DSAParametersUnavailable

from ca_core.domain.path_validation import Reason, ValidationLimits
from ca_core.validation.failure import Failure
from ca_core.validation.signatures import check_signature

Chain = tuple[x509.Certificate, ...]
"""From the certificate in question up to the anchor."""


class Search:
    """One search; it keeps which signatures it has seen verify."""

    def __init__(
        self,
        anchors: Sequence[x509.Certificate],
        candidates: Sequence[x509.Certificate],
        *,
        limits: ValidationLimits,
        expired: Callable[[], bool],
    ) -> None:
        """``expired`` tells when the time is up."""
        self._anchors = {one.sha256: one for one in anchors}
        self._anchors_by_name = _by_subject(self._anchors.values())
        others = {one.sha256: one for one in candidates if one.sha256 not in self._anchors}
        self._others_by_name = _by_subject(others.values())
        self._limits = limits
        self._expired = expired
        self._verified: dict[tuple[bytes, bytes], bool] = {}
        self._steps = 0

    def paths(self, certificate: x509.Certificate) -> Iterator[Chain]:
        """Complete paths, in which each signature verifies under the key above it.

        Failure when there is none, or when a limit ends the search before it does."""
        found = False
        cut = False
        broken: Failure | None = None
        lacking = _no_path((certificate,))
        waiting = deque[Chain]([(certificate,)])
        if certificate.sha256 in self._anchors:
            found = True
            yield waiting.pop()
        while waiting:
            chain = waiting.popleft()
            top = chain[-1]
            for issuer, is_anchor in self._issuers(top):
                if not is_anchor and any(_same_entity(issuer, one) for one in chain):
                    continue
                if len(chain) >= self._limits.chain:
                    cut = True
                    break
                if not self._signed(top, issuer):
                    words = "has a signature that its issuer did not make"
                    broken = Failure(Reason.BAD_SIGNATURE, words, position=len(chain) - 1, chain=chain)
                    continue
                if is_anchor:
                    found = True
                    yield (*chain, issuer)
                else:
                    waiting.append((*chain, issuer))
                    lacking = _no_path(waiting[-1])
        if found:
            return
        if cut:
            words = f"is under more than {self._limits.chain} certificates"
            raise Failure(Reason.LIMIT_EXCEEDED, words)
        raise broken or lacking

    def _issuers(self, certificate: x509.Certificate) -> Iterator[tuple[x509.Certificate, bool]]:
        name = certificate.issuer.hashable
        for known, is_anchor in ((self._anchors_by_name, True), (self._others_by_name, False)):
            for issuer in known.get(name, ()):
                self._steps += 1
                if self._steps > self._limits.steps:
                    words = f"has more possible issuers than the {self._limits.steps} that are looked at"
                    raise Failure(Reason.LIMIT_EXCEEDED, words)
                if self._expired():
                    raise Failure(Reason.LIMIT_EXCEEDED, "cannot be validated in the time that is given to it")
                if _identifiers_agree(certificate, issuer):
                    yield issuer, is_anchor

    def _signed(self, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
        key = certificate.sha256, issuer.sha256
        if key not in self._verified:
            try:
                check_signature(certificate, issuer.public_key)
                self._verified[key] = True
            except DSAParametersUnavailable:
                # Inherited from further up (RFC 5280 §4.1.2.7, RFC 3279 §2.3.2): the engine looks at it along the path.
                self._verified[key] = True
            except InvalidSignature:
                self._verified[key] = False
        return self._verified[key]


def _by_subject(certificates: Iterable[x509.Certificate]) -> dict[str, list[x509.Certificate]]:
    found: dict[str, list[x509.Certificate]] = defaultdict(list)
    for one in certificates:
        found[one.subject.hashable].append(one)
    return found


def _same_entity(one: x509.Certificate, other: x509.Certificate) -> bool:
    """A path through the same name and key twice is the same path with a detour (RFC 4158 §2.4.2)."""
    return bool(one.subject.hashable == other.subject.hashable and one.public_key.dump() == other.public_key.dump())


def _identifiers_agree(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    wanted, given = certificate.authority_key_identifier, issuer.key_identifier
    return not (wanted and given and wanted != given)


def _no_path(chain: Chain) -> Failure:
    issuer = chain[-1].issuer.human_friendly
    words = f"is issued by {issuer}, who is neither trusted nor at hand"
    return Failure(Reason.NO_PATH, words, position=len(chain) - 1, chain=chain)
