"""From one list to the next: an entry leaves only with its certificate's end, or when it was unheld on record.

OCSP and lists read the same rows. Whoever sets a row back in the database, past the services, is found here, since
what was published before still names the certificate.
"""

from __future__ import annotations

from collections.abc import Set

from ca_core.domain.authority import PublishedCrl
from ca_core.domain.certificate import Certificate, CertificateState
from ca_core.domain.errors import IntegrityAlarm, InvalidInput
from ca_core.domain.identifiers import Serial
from ca_core.services.ports import Transaction
from ca_core.services.recorded_status import last_recorded
from ca_core.x509.crl import CertificateList
from crl.scope import ListScope


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
