"""From profile, data and key to the to-be-signed bytes of one certificate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from ca_core.domain.algorithms import SignatureAlgorithm
from ca_core.domain.errors import ProfileViolation
from ca_core.domain.identifiers import Serial
from ca_core.domain.profile import LintMode, Profile
from ca_core.lint import LintContext, LintedTbs, lint_certificate, lint_failed
from ca_core.lint.pkilint_run import lint_by_profile, with_placeholder_signature
from ca_core.services.subject_key import require_allowed
from ca_core.x509.algorithm import key_algorithm_of
from ca_core.x509.certificate import read_issuer, to_be_signed
from ca_core.x509.extensions import ExtensionContext, encode_extensions
from ca_core.x509.name import encode_name, render_name


class Issuer(Protocol):
    """Whose key signs: an authority; or the root-to-be, which has no certificate yet."""

    @property
    def id(self) -> UUID: ...
    @property
    def certificate(self) -> bytes | None: ...
    @property
    def key_reference(self) -> str: ...
    @property
    def key_identifier(self) -> bytes: ...
    @property
    def signature_algorithm(self) -> SignatureAlgorithm: ...


@dataclass(frozen=True, kw_only=True)
class Content:
    """Bytes that may be signed, and what they say."""

    linted: LintedTbs
    not_before: datetime
    not_after: datetime
    subject: str
    """RFC 4514 text."""


COMBINATIONS = 10_000
"""Those that a process remembers to have linted in full."""
_linted: dict[object, None] = {}
"""In the order in which they came."""


def compose(
    profile: Profile,
    *,
    issuer_certificate: bytes | None,
    signature_algorithm: bytes,
    subject: Mapping[str, str],
    san: Sequence[tuple[str, str]] = (),
    identification: str | None = None,
    public_key_info: bytes,
    serial: Serial,
    now: datetime,
    urls: Mapping[str, str],
) -> Content:
    """Build and lint. Without ``issuer_certificate`` (DER) it is a self-signed certificate.

    notAfter is the profile's validity, cut where the issuer ends (invariant 6). :class:`ProfileViolation` for a key
    that the profile does not allow or an issuer that ended, :class:`LintFailed` when a rule objects (invariant 2).
    """
    algorithm = key_algorithm_of(public_key_info)
    require_allowed(profile, algorithm)
    now = now.replace(microsecond=0)
    not_before = now - profile.backdate
    not_after = not_before + profile.validity
    issuer_name = issuer_key = None
    if issuer_certificate is not None:
        parent = read_issuer(issuer_certificate)
        issuer_name, issuer_key = parent.subject, parent.subject_key_identifier
        not_before = max(not_before, parent.not_before)
        not_after = min(not_after, parent.not_after)
        if not_after <= now:
            raise ProfileViolation("the issuing authority's certificate has ended; renew the authority first")
    name = encode_name(profile.subject, subject)
    extensions = encode_extensions(
        profile.extensions,
        ExtensionContext(
            subject_public_key_info=public_key_info,
            issuer_key_identifier=issuer_key,
            not_before=not_before,
            not_after=not_after,
            san=san,
            subject_is_empty=not subject and not any(rule.fixed for rule in profile.subject),
            urls=urls,
            fields={"identification": profile.identification[identification]} if identification else {},
        ),
    )
    tbs = to_be_signed(
        serial=serial,
        signature_algorithm=signature_algorithm,
        issuer=issuer_name or name,
        not_before=not_before,
        not_after=not_after,
        subject=name,
        public_key_info=public_key_info,
        extensions=extensions,
    )
    linted = lint_certificate(tbs, LintContext(issuer_certificate=issuer_certificate))
    kinds = tuple((extension.oid, extension.critical) for extension in extensions)
    combination = (profile.digest, issuer_certificate, signature_algorithm, algorithm, tuple(subject), kinds)
    if profile.lint is LintMode.BLOCKING or combination not in _linted:
        if found := lint_by_profile(with_placeholder_signature(tbs), profile):
            raise lint_failed(found)
        _linted[combination] = None
        if len(_linted) > COMBINATIONS:
            del _linted[next(iter(_linted))]
    return Content(linted=linted, not_before=not_before, not_after=not_after, subject=render_name(name))


def urls_of(key_identifier: bytes, *, base: str, partition: int) -> dict[str, str]:
    """The addresses that go into certificates which this issuer signs (RFC 5280 §4.2.1.13, §4.2.2.1).

    The partition is fixed here for the life of the certificate (invariant 9)."""
    key = key_identifier.hex()
    lists = f"{base}/crl/{key}" if partition == 0 else f"{base}/crl/{key}/{partition}"
    return {
        "crl": f"{lists}.crl",
        "freshest_crl": f"{lists}-delta.crl",
        "ocsp": f"{base}/ocsp",
        "ca_issuers": f"{base}/aia/{key}.cer",
    }


def partition_of(serial: Serial, partitions: int) -> int:
    """1 to ``partitions``, evenly spread; 0 where the authority keeps one list."""
    return serial.value % partitions + 1 if partitions else 0
