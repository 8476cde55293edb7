"""From one list to the next: an entry leaves only with its certificate's end, or when it was unheld on record.

OCSP and lists read the same rows. Whoever sets a row back in the database, past the services, is found here, since
what was published before still names the certificate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Set

from ca_core.domain.authority import PublishedCrl
from ca_core.domain.certificate import Certificate, CertificateState
from ca_core.domain.errors import IntegrityAlarm, InvalidInput
from ca_core.domain.identifiers import Serial
from ca_core.services.comparison.certificates import last_recorded
from ca_core.services.ports import Transaction
from ca_core.x509.crl import CertificateList
from crl.scope import ListScope


def published_before(tx: Transaction, scope: ListScope) -> PublishedCrl | None:
    """The list that is published now, None before the first; IntegrityAlarm unless it is the one that was issued last
    by the record.

    The record decides, not the counter: a number that was taken for a signature that failed is no list."""
    # Record before row, since both are committed together: the row is never older than the record.
    issued = _last_issued(tx, scope)
    former = tx.authorities.current_crl(scope.issuer.id, scope.partition)
    if former is None:
        if issued is not None:
            raise IntegrityAlarm(f"the list {scope.name} is gone, though number {issued[0]} was issued on record")
        return None
    if issued is None or issued[0] < former.number:
        issued = _last_issued(tx, scope, not_after=former.number)
    if issued is None or issued != (former.number, hashlib.sha256(former.der).hexdigest()):
        said = "none" if issued is None else f"number {issued[0]} with SHA-256 {issued[1]}"
        raise IntegrityAlarm(
            f"the list {scope.name} that is published, number {former.number}, is not the one issued on record: {said}"
        )
    return former


def _last_issued(tx: Transaction, scope: ListScope, *, not_after: int | None = None) -> tuple[int, str] | None:
    """Number and SHA-256 of the last list on record, or of the last up to that number."""
    for record in tx.audit.newest(str(scope.issuer.id), "crl.issued"):
        number = int(str(record.details["number"]))
        if record.details["list"] == scope.name and (not_after is None or number <= not_after):
            return number, str(record.details["sha256"])
    return None


def require_none_lost(tx: Transaction, scope: ListScope, former: PublishedCrl, listed: Set[int]) -> None:
    """IntegrityAlarm when the former list names a certificate that must not be missing among the serials ``listed``."""
    try:
        missing = [Serial(value) for value in CertificateList.parse(former.der).serials() if value not in listed]
    except InvalidInput as fault:
        raise IntegrityAlarm(f"the list {scope.name} that is published cannot be read: {fault.detail}") from None
    for serial in missing:
        row = tx.certificates.lookup(scope.issuer.id, serial)
        if row is None or not (row.not_after < tx.now or _may_leave(tx, scope, row)):
            raise IntegrityAlarm(
                f"certificate {serial} was in the list {scope.name} and is not now, though it was not unheld on record"
            )


def _may_leave(tx: Transaction, scope: ListScope, row: Certificate) -> bool:
    if row.state is CertificateState.ISSUED:
        return last_recorded(tx, row.id) is CertificateState.ISSUED
    # On hold again since the entries were read: the list to come has it.
    return row.state is not CertificateState.INTENT and scope.partition in (0, row.partition)
