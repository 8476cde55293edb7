"""What the next list of a scope says, read in one unchanging view of the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter

from ca_core.domain.certificate import CertificateState
from ca_core.domain.errors import IntegrityAlarm
from ca_core.services.comparison.certificates import last_recorded
from ca_core.services.known_at import known_at
from ca_core.services.ports import ChangedEntry, Transaction
from ca_core.x509.crl_entries import REMOVE_FROM_CRL, Revoked, encode_entries
from crl.continuity import delta_before, published_before, require_none_lost
from crl.draft import Draft
from crl.scope import ListScope

LISTED = frozenset({CertificateState.HELD, CertificateState.REVOKED, CertificateState.ABANDONED})
SMALL = 1_000
"""So many changes make a delta, however short its base is."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Where lists lie and how long they last."""

    base_url: str
    lifetime: timedelta
    """From thisUpdate to nextUpdate of a full list."""
    rebuild_after: timedelta
    """How old a full list becomes before the next."""
    delta_lifetime: timedelta
    """From thisUpdate to nextUpdate of a delta; nothing where none are made."""


def draft_full(tx: Transaction, scope: ListScope, number: int, terms: Terms) -> Draft:
    """Every certificate that is held, revoked or given up. IntegrityAlarm when one of the former list is missing."""
    former = published_before(tx, scope)
    delta = None if former is None else delta_before(tx, scope, former)
    # RFC 5280 §3.3: an entry stays until a regular list was issued after its certificate expired.
    since = (tx.now if former is None else former.this_update) - terms.rebuild_after
    entries, count, latest = _read(tx, scope, since)
    this_update = known_at(tx.now, [] if latest is None else [_moment(latest)])
    if latest is not None and _moment(latest) > this_update:
        # The clock was set back: RFC 5280 §5.1.2.6 has nothing revoked later than the list.
        entries, count, _ = _read(tx, scope, since, not_after=_second(this_update))
    for published in (former, delta):
        if published is not None:
            require_none_lost(tx, scope, published, entries)
    return Draft(
        scope=scope,
        number=number,
        follows=max((one.number for one in (former, delta) if one is not None), default=0),
        this_update=this_update,
        next_update=this_update + terms.lifetime,
        entries=entries,
        count=count,
        distribution_point=scope.distribution_point(terms.base_url),
        freshest=scope.freshest(terms.base_url) if terms.delta_lifetime else None,
        seen=tx.authorities.noted_changes(scope.issuer.id, scope.partition),
    )


def draft_delta(tx: Transaction, scope: ListScope, number: int, terms: Terms) -> Draft | None:
    """Every certificate whose entry is another than in the full list that is published (RFC 5280 §5.2.4). None where a
    full list is due instead: there is none yet that says where its deltas lie, or so much has changed that a delta
    would save nobody anything. IntegrityAlarm as of :func:`draft_full`."""
    base = published_before(tx, scope)
    if base is None or not base.freshest:
        return None
    if len(tx.authorities.noted_changes(scope.issuer.id, scope.partition)) > max(SMALL, base.entries // 4):
        return None
    former = delta_before(tx, scope, base)
    changed = tx.certificates.changed_entries(
        scope.issuer.id, scope.partition, unexpired_at=base.this_update - terms.rebuild_after
    )
    this_update = known_at(tx.now, [_moment(one.revoked[1]) for one in changed if one.state in LISTED])
    entries = encode_entries([_now(tx, one, _second(this_update)) for one in changed])
    runs = [entries] if entries else []
    if former is not None:
        require_none_lost(tx, scope, former, runs)
    return Draft(
        scope=scope,
        number=number,
        follows=base.number if former is None else former.number,
        base=base.number,
        this_update=this_update,
        next_update=this_update + terms.delta_lifetime,
        entries=runs,
        count=len(changed),
        distribution_point=scope.distribution_point(terms.base_url),
    )


def _read(
    tx: Transaction, scope: ListScope, since: datetime, *, not_after: int | None = None
) -> tuple[Sequence[bytes], int, int | None]:
    """Runs of entries, how many there are, and the second of the latest."""
    runs: list[bytes] = []
    count = 0
    latest: int | None = None
    for rows in tx.certificates.revoked(scope.issuer.id, scope.partition or None, unexpired_at=since):
        youngest = max(map(itemgetter(1), rows))
        latest = youngest if latest is None else max(latest, youngest)
        count += len(rows)
        runs.append(encode_entries(rows if not_after is None else [_until(row, not_after) for row in rows]))
    return runs, count, latest


def _now(tx: Transaction, changed: ChangedEntry, this_update: int) -> Revoked:
    """The entry that a delta has for it. It is taken out of the list with the delta's own time: the row has none."""
    if changed.state in LISTED:
        return _until(changed.revoked, this_update)
    serial = changed.revoked[0]
    # It may have been on hold in an earlier delta only; RFC 5280 §5.2.4 has it taken out then too.
    if changed.state is not CertificateState.ISSUED or last_recorded(tx, changed.id) is not CertificateState.ISSUED:
        raise IntegrityAlarm(f"certificate {serial} is not revoked now, though it was not unheld on record")
    return serial, this_update, REMOVE_FROM_CRL, None


def _until(revoked: Revoked, second: int) -> Revoked:
    serial, at, reason, invalidity = revoked
    return serial, min(at, second), reason, invalidity


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _second(moment: datetime) -> int:
    return int(moment.timestamp())
