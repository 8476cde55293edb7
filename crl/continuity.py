"""From one list to the next: an entry leaves only with its certificate's end, or when it was unheld on record.

OCSP and lists read the same rows. Whoever sets a row back in the database, past the services, is found here, since
what was published before still names the certificate.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import suppress

from ca_core.domain.authority import PublishedHead
from ca_core.domain.certificate import Certificate, CertificateState
from ca_core.domain.errors import IntegrityAlarm, InvalidInput
from ca_core.domain.identifiers import Serial
from ca_core.services.comparison.certificates import last_recorded
from ca_core.services.ports import Transaction
from ca_core.x509.crl import CertificateList
from ca_core.x509.crl_entries import entry_batches, key_of
from crl.scope import ListScope

DELTA_ISSUED = "crl.delta-issued"
"""On record under the delta's own name: there is one after every change, and the last full list has to be found among
the few of its kind."""


def published_before(tx: Transaction, scope: ListScope) -> PublishedHead | None:
    """The full list that is published now, None before the first; IntegrityAlarm unless it is the one that was issued
    last by the record.

    The record decides, not the counter: a number that was taken for a signature that failed is no list."""
    former = tx.authorities.current_crl(scope.issuer.id, scope.partition)
    _require_recorded(scope.name, former, _issued(tx, str(scope.issuer.id), "crl.issued", scope.name))
    return former


def delta_before(tx: Transaction, scope: ListScope, base: PublishedHead) -> PublishedHead | None:
    """The delta that is published now, None when there is none to that base; IntegrityAlarm as for the full list."""
    former = tx.authorities.current_crl(scope.issuer.id, scope.partition, delta=True)
    _require_recorded(scope.delta_name, former, _issued(tx, delta_object(scope), DELTA_ISSUED, scope.delta_name))
    return former if former is not None and former.base == base.number else None


def delta_object(scope: ListScope) -> str:
    """What the record calls the deltas of one list."""
    return f"{scope.issuer.id}/{scope.partition}"


def _issued(tx: Transaction, of: str, action: str, name: str) -> tuple[int, str] | None:
    """Number and SHA-256 of the last list on record."""
    for record in tx.audit.newest(of, action):
        if record.details["list"] == name:
            return int(str(record.details["number"])), str(record.details["sha256"])
    return None


def _require_recorded(name: str, former: PublishedHead | None, issued: tuple[int, str] | None) -> None:
    if former is None:
        if issued is not None:
            raise IntegrityAlarm(f"the list {name} is gone, though number {issued[0]} was issued on record")
    elif issued != (former.number, former.sha256.hex()):
        said = "none" if issued is None else f"number {issued[0]} with SHA-256 {issued[1]}"
        raise IntegrityAlarm(
            f"the list {name} that is published, number {former.number}, is not the one issued on record: {said}"
        )


def require_none_lost(tx: Transaction, scope: ListScope, former: PublishedHead, entries: Iterable[bytes]) -> None:
    """IntegrityAlarm when a list that is published, full or delta, names a certificate that must not be missing among
    these runs of entries."""
    name = scope.name if former.base is None else scope.delta_name
    for key in missing(_entries_of(tx, name, former), entries):
        serial = Serial(int.from_bytes(key))
        row = tx.certificates.lookup(scope.issuer.id, serial)
        if row is None or not (row.not_after < tx.now or _is_unheld(tx, row)):
            raise IntegrityAlarm(
                f"certificate {serial} was in the list {name} and is not now, though it was not unheld on record"
            )


def _entries_of(tx: Transaction, name: str, former: PublishedHead) -> memoryview:
    der = tx.authorities.crl_bytes(former)
    with suppress(InvalidInput):
        if hashlib.sha256(der).digest() == former.sha256:
            return CertificateList.parse(der).revoked
    raise IntegrityAlarm(f"the list {name} that is published is not what was signed")


def missing(former: bytes | memoryview, runs: Iterable[bytes]) -> Iterator[bytes]:
    """Keys of the former entries that are in none of the runs. Both are sorted, and most of them are the same: what is
    equal is compared as it stands, and taken apart only where it differs."""
    at = 0
    for run in runs:
        if bytes(former[at : at + len(run)]) == run:
            at += len(run)
            continue
        keys = {key_of(entry) for batch in entry_batches(run) for entry in batch}
        last = max(keys)
        for batch in entry_batches(former, at):
            before = [key_of(entry) for entry in batch]
            passed = bisect_right(before, last)
            yield from sorted(set(before[:passed]) - keys)
            at += sum(map(len, batch[:passed]))
            if passed < len(batch):
                break
    for batch in entry_batches(former, at):
        yield from map(key_of, batch)


def _is_unheld(tx: Transaction, row: Certificate) -> bool:
    return row.state is CertificateState.ISSUED and last_recorded(tx, row.id) is CertificateState.ISSUED
