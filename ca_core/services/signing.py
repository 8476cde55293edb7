"""The one place where the authority's keys sign certificates, lists and answers."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial

from ca_core.domain.errors import BadSignature, IntegrityAlarm
from ca_core.lint import LintedTbs
from ca_core.services.ports import Signer
from ca_core.x509.certificate import assemble, signed_part
from ca_core.x509.signature import verifier

_verifier = lru_cache(maxsize=64)(verifier)
"""Of the authority's own keys, of which there are few."""


def signature_over(linted: LintedTbs, signer: Signer) -> bytes:
    """Sign what was linted, then check one's own work before anybody sees it (invariants 2 and 4).

    :class:`IntegrityAlarm` when key or signature are not what they have to be; :class:`KeyUnavailable` when the key
    cannot be used."""
    linted.check_signer(signer.public_key_info)
    signature = signer.sign(linted.der)
    try:
        _verifier(signer.public_key_info, linted.signature_algorithm)(linted.der, signature)
    except BadSignature:
        raise IntegrityAlarm("the authority's own signature does not verify; nothing was handed out") from None
    return signature


def signatures_over(linted: Sequence[LintedTbs], signer: Signer) -> Sequence[bytes]:
    """As :func:`signature_over`, of many with one key: as many at the same time as it makes."""
    at_once = min(signer.parallel, len(linted))
    if at_once <= 1:
        return [signature_over(one, signer) for one in linted]
    with ThreadPoolExecutor(at_once, thread_name_prefix="signing") as threads:
        return list(threads.map(partial(signature_over, signer=signer), linted))


def sign_certificate(linted: LintedTbs, signer: Signer) -> bytes:
    """The DER certificate over what was linted; errors as of :func:`signature_over`."""
    signature = signature_over(linted, signer)
    signed = assemble(linted.der, linted.signature_algorithm, signature)
    if signed_part(signed) != linted.der:
        raise IntegrityAlarm("the signed certificate differs from the bytes that were linted")
    return signed
