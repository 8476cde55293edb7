"""The audit trail for those who may read it: list, export, seal, verify."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from contextlib import suppress

from ca_core.domain.access import Actor, Permission
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.audit import AuditCheckpoint, AuditRecord, checkpoint_message
from ca_core.domain.errors import AuditBroken, Duplicate, KeyMissing, NotFound, WrongState
from ca_core.services.audit_chain import SIGNATURE, AuditChain, AuditReport, is_signed
from ca_core.services.audit_file import checkpoint_line, heading_line, record_line
from ca_core.services.comparison import comparisons
from ca_core.services.comparison.by_object import Comparison, unreadable
from ca_core.services.ports import KeyStore, LastSeal, Signer, SymmetricKeys, Transaction, Transactions

KEY_REFERENCE = "audit"
"""Of the key that signs checkpoints; made on first use."""
PAGE = 1000
"""Records read at once."""


class Audit:
    """``keys`` holds the checkpoint key, ``symmetric`` the keys of the records' MACs.

    ``last_seal`` is outside the database: a chain that ends before it, or goes another way, was tampered with."""

    def __init__(
        self, transactions: Transactions, *, keys: KeyStore, symmetric: SymmetricKeys, last_seal: LastSeal
    ) -> None:
        self._transactions = transactions
        self._keys = keys
        self._symmetric = symmetric
        self._last_seal = last_seal

    def list(
        self, actor: Actor, *, after: int | None = 0, limit: int = 100, object_id: str | None = None
    ) -> Sequence[AuditRecord]:
        """Records after that sequence, in their order; with None the newest; at most 1000."""
        actor.require(Permission.AUDIT_VIEW)
        with self._transactions.read(actor) as tx:
            return tx.audit.records(after=after and max(after, 0), limit=min(max(limit, 1), PAGE), object_id=object_id)

    def export(self, actor: Actor) -> Iterator[str]:
        """The whole chain with its checkpoints as lines for :func:`~ca_core.services.audit_file.verify_export`.

        That it was exported is on record first, and in the export; then the chain is sealed, where the actor may."""
        actor.require(Permission.AUDIT_EXPORT)
        with self._transactions.begin(actor) as tx:
            tx.audit.record("audit.exported", "audit", "trail")
        if actor.may(Permission.AUDIT_SEAL):
            self.seal(actor)
        return self._lines(actor)

    def seal(self, actor: Actor) -> AuditCheckpoint:
        """Sign the chain as it stands; the present checkpoint when nothing was added since.

        What was added since the last checkpoint is verified first: AuditBroken rather than a seal on a broken chain,
        or on one that lost what was sealed before. The seal is kept outside the database as well.
        """
        actor.require(Permission.AUDIT_SEAL)
        kept = self._last_seal.read()
        with self._transactions.read(actor) as tx:
            moment = tx.now
            sequence, digest = tx.audit.head()
            if kept is not None:
                _require_sealed(tx, kept)
            elif sequence == 0:
                raise WrongState("there is nothing on record yet, so there is nothing to seal")
            signer = self._signer()
            # Only our own: whoever can write the table must not be able to say from where on to look.
            ours = [one for one in tx.audit.checkpoints() if one.public_key_info == signer.public_key_info]
            last = max(filter(is_signed, ours), key=lambda one: one.sequence, default=None)
            if last is not None and (last.sequence, last.digest) == (sequence, digest):
                self._last_seal.keep(last)
                return last
            chain = self._chain(last)
            self._walk(tx, chain)
            report = chain.report()
        if not report.ok:
            raise AuditBroken(f"the audit chain is broken at record {report.first_broken}; it was not sealed")
        checkpoint = AuditCheckpoint(
            sequence=sequence,
            digest=digest,
            at=moment,
            key_reference=KEY_REFERENCE,
            public_key_info=signer.public_key_info,
            signature=signer.sign(checkpoint_message(sequence, digest)),
        )
        # When another process sealed the same record meanwhile, its seal is as good.
        with suppress(Duplicate), self._transactions.begin(actor) as tx:
            tx.audit.add_checkpoint(checkpoint)
        # After the commit: what is kept is never ahead of the database of an honest installation.
        self._last_seal.keep(checkpoint)
        return checkpoint

    def last_seal(self, actor: Actor) -> AuditCheckpoint | None:
        """The seal that is kept outside the database; AuditBroken when the chain lost what it covers. Quick:
        :meth:`verify` looks at everything."""
        actor.require(Permission.AUDIT_VIEW)
        kept = self._last_seal.read()
        if kept is not None:
            with self._transactions.read(actor) as tx:
                _require_sealed(tx, kept)
        return kept

    def public_key(self, actor: Actor) -> bytes:
        """The DER SubjectPublicKeyInfo that checkpoints verify with; NotFound before the first seal."""
        actor.require(Permission.AUDIT_VIEW)
        if KEY_REFERENCE not in self._keys.references():
            raise NotFound("the audit key is made with the first seal; run: pechatnik audit seal")
        return self._signer().public_key_info

    def verify(self, actor: Actor) -> AuditReport:
        """Check every record's digest, link and MAC, every checkpoint against the authority's own audit key, the seal
        kept outside the database, and every row that the record tells of against it, both ways
        (:mod:`ca_core.services.comparison`)."""
        actor.require(Permission.AUDIT_VIEW)
        trusted = frozenset({self._signer().public_key_info} if KEY_REFERENCE in self._keys.references() else ())
        # Before the view of the database is fixed: a seal is kept once it is committed, so the view has what it covers.
        kept = self._last_seal.read()
        with self._transactions.read(actor) as tx:
            chain = AuditChain(
                [*tx.audit.checkpoints(), *([kept] if kept else [])],
                trusted_keys=trusted,
                check_mac=self._mac_fits,
                must_be_sealed=bool(trusted),
            )
            compared = comparisons()
            try:
                self._walk(tx, chain, compared)
            except Exception as error:  # here and below: whatever stands in a row must not end the look at the others
                chain.contradicted(unreadable("audit_records", error, object=f"after record {chain.sequence}"))
            for comparison in compared:
                try:
                    for fault in comparison.faults(tx):
                        chain.contradicted(fault)
                except Exception as error:
                    chain.contradicted(unreadable(comparison.table, error))
            return chain.report()

    def _lines(self, actor: Actor) -> Iterator[str]:
        with self._transactions.read(actor) as tx:
            sequence, digest = tx.audit.head()
            yield heading_line(sequence=sequence, digest=digest)
            for checkpoint in tx.audit.checkpoints():
                yield checkpoint_line(checkpoint)
            for record in _records(tx, after=0):
                yield record_line(record)

    def _chain(self, last: AuditCheckpoint | None) -> AuditChain:
        """A chain that goes on from the last checkpoint."""
        chain = AuditChain((), trusted_keys=None, check_mac=self._mac_fits)
        if last is not None:
            chain.sequence, chain.digest = last.sequence, last.digest
        return chain

    def _walk(self, tx: Transaction, chain: AuditChain, compared: Sequence[Comparison] = ()) -> None:
        for record in _records(tx, after=chain.sequence):
            if chain.feed(record):
                for comparison in compared:
                    try:
                        comparison.feed(tx, record)
                    except Exception as error:
                        chain.contradicted(unreadable(comparison.table, error, object=f"by record {record.sequence}"))
        chain.expect_end(*tx.audit.head())

    def _mac_fits(self, record: AuditRecord) -> bool:
        try:
            key = self._symmetric.get(record.key_id)
        except KeyMissing:
            return False
        return hmac.compare_digest(hmac.new(key, record.digest, hashlib.sha256).digest(), record.mac)

    def _signer(self) -> Signer:
        if KEY_REFERENCE not in self._keys.references():
            # Another process may be making it at the same moment.
            with suppress(Duplicate):
                self._keys.generate(KEY_REFERENCE, KeyAlgorithm.EC_P384)
        return self._keys.signer(KEY_REFERENCE, SIGNATURE)


def _require_sealed(tx: Transaction, seal: AuditCheckpoint) -> None:
    """AuditBroken unless the chain still holds the record that the seal is over."""
    found = tx.audit.records(after=seal.sequence - 1, limit=1)
    if not found or found[0].sequence != seal.sequence:
        raise AuditBroken(f"record {seal.sequence} was sealed and is gone: the audit chain was cut off before it")
    if found[0].digest != seal.digest:
        raise AuditBroken(f"record {seal.sequence} is not the one that was sealed: the audit chain was rewritten")


def _records(tx: Transaction, *, after: int) -> Iterator[AuditRecord]:
    while page := tx.audit.records(after=after, limit=PAGE):
        yield from page
        after = page[-1].sequence
