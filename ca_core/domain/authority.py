"""A certification authority or responder: a name, a key and a certificate of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from ca_core.domain.algorithms import SignatureAlgorithm
from ca_core.domain.profile import Environment


class AuthorityKind(StrEnum):
    ROOT = "root"
    ISSUING = "issuing"
    OCSP_RESPONDER = "ocsp-responder"
    TSA = "tsa"
    """Time-stamping authority."""


ISSUERS = frozenset({AuthorityKind.ROOT, AuthorityKind.ISSUING})
"""Those that sign certificates and lists."""


class AuthorityState(StrEnum):
    ACTIVE = "active"
    RETIRED = "retired"
    """Signs no certificates any more; a retired issuer goes on signing CRLs."""
    ELSEWHERE = "elsewhere"
    """Its key is not here, only its certificate: it stands above an issuer that was taken over, and signs nothing."""
    REVOKED = "revoked"
    """Its own certificate is revoked. Like a retired one; and nobody below it issues any more."""


@dataclass(frozen=True, kw_only=True)
class Authority:
    """An issuer or responder whose key we hold."""

    id: UUID
    name: str
    """Short name on the command line: ``root``, ``issuing``."""
    kind: AuthorityKind
    state: AuthorityState = AuthorityState.ACTIVE
    parent: UUID | None
    """Who signed its certificate; None for a root."""
    environment: Environment
    key_reference: str
    signature_algorithm: SignatureAlgorithm
    certificate: bytes
    """DER."""
    certificate_id: UUID
    """Its row among the certificates; the parent's, or its own for a root."""
    key_identifier: bytes
    """Subject key identifier, 20 octets; also its name in CRL and AIA URLs."""
    partitions: int = 0
    """Number of CRL partitions, fixed for life; 0 means one full list."""
    not_before: datetime
    not_after: datetime
    created_at: datetime
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class PublishedHead:
    """What there is to know of a published list without its bytes, which can be many."""

    id: UUID
    authority: UUID
    partition: int
    number: int
    base: int | None = None
    """Of a delta the number of the full list that it builds on (RFC 5280 §5.2.4); None of a full list."""
    freshest: bool = False
    """Whether it says where its deltas lie (RFC 5280 §5.2.6)."""
    this_update: datetime
    next_update: datetime
    entries: int
    sha256: bytes


@dataclass(frozen=True, kw_only=True)
class PublishedCrl(PublishedHead):
    """One certificate revocation list as it was signed."""

    der: bytes


def in_good_standing(authority: Authority, everyone: Iterable[Authority]) -> bool:
    """Whether it is active and nobody above it is revoked."""
    by_id = {one.id: one for one in everyone}
    above = by_id.get(authority.parent) if authority.parent else None
    while above is not None:
        if above.state is AuthorityState.REVOKED:
            return False
        above = by_id.get(above.parent) if above.parent else None
    return authority.state is AuthorityState.ACTIVE
