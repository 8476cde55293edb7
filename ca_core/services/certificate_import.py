"""Takes over the certificates that another authority's software issued, with the status that they have there.

A stretch is one transaction: what was taken in stays, and whoever begins again after an interruption finds it known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TypeVar
from uuid import UUID

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Actor, Permission
from ca_core.domain.authority import ISSUERS, Authority, AuthorityState
from ca_core.domain.errors import InvalidInput, WrongState
from ca_core.domain.importing import Refusal
from ca_core.services.examination import Examination, Examined, Given
from ca_core.services.former_status import FormerStatus
from ca_core.services.import_stretch import Fresh, add_import
from ca_core.services.ports import Transactions
from ca_core.x509.bundle import Piece
from ca_core.x509.certificate import SignedCertificate

STRETCH = 10_000
"""Certificates of one transaction."""

T = TypeVar("T")
Spread = Callable[[Callable[[Piece], Examined], Iterable[Piece]], Iterable[Examined]]
"""``map``, or one that spreads the work over processes and keeps the order."""


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """What became of all that was given."""

    taken: int
    known: int
    """Taken in before."""
    refused: int
    """Each was told of with its reason."""


class CertificateImport:
    """Staff see what was imported; so does the account that it is given to, if it is given to one."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def take_in(
        self,
        actor: Actor,
        issuer_name: str,
        pieces: Iterable[Piece],
        status: FormerStatus,
        *,
        signatures: bool = True,
        owner: UUID | None = None,
        dry_run: bool = False,
        refuse: Callable[[Refusal], None],
        progress: Callable[[int], None] = lambda certificates: None,
        spread: Spread = map,
    ) -> ImportReport:
        """Take in every certificate of the issuer that is not here yet. ``refuse`` is told of every other one; last of
        those that are revoked by ``status`` and were not given: nobody would be told of them any more.

        NotFound for an issuer or owner that does not exist, WrongState for an issuer whose key is elsewhere."""
        actor.require(Permission.CERTIFICATE_IMPORT)
        with self._transactions.read(actor) as tx:
            issuer = tx.authorities.by_name(issuer_name)
            if owner is not None:
                tx.accounts.get(owner, seen_by=EVERYTHING)
        if issuer.kind not in ISSUERS:
            raise InvalidInput(f"{issuer.name} issued nothing; name its issuer")
        if issuer.state is AuthorityState.ELSEWHERE:
            raise WrongState(
                f"the key of {issuer.name} is elsewhere, so nothing could be said of its certificates here"
            )
        journey = _Journey(
            self._transactions,
            actor,
            issuer.id,
            status,
            owner=owner or SYSTEM_ACTOR.id,
            signatures="all" if signatures else "none",
            dry_run=dry_run,
            refuse=refuse,
        )
        return journey.through(spread(_examination(issuer, signatures), pieces), progress)

    def former_status(
        self, actor: Actor, issuer_name: str, *, lists: Iterable[bytes] = (), index: bytes | None = None
    ) -> FormerStatus:
        """By the issuer's own lists or by openssl's index; errors as of :class:`FormerStatus`."""
        actor.require(Permission.CERTIFICATE_IMPORT)
        if index is not None:
            return FormerStatus.of_index(index)
        with self._transactions.read(actor) as tx:
            issuer = tx.authorities.by_name(issuer_name)
        return FormerStatus.of_lists(list(lists), SignedCertificate.parse(issuer.certificate))


def _examination(issuer: Authority, signatures: bool) -> Examination:
    own = SignedCertificate.parse(issuer.certificate)
    return Examination(
        name=own.subject,
        key_identifier=issuer.key_identifier,
        public_key_info=own.public_key_info,
        signatures=signatures,
    )


class _Journey:
    """One call, from the first piece to the last."""

    def __init__(
        self,
        transactions: Transactions,
        actor: Actor,
        issuer: UUID,
        status: FormerStatus,
        *,
        owner: UUID,
        signatures: str,
        dry_run: bool,
        refuse: Callable[[Refusal], None],
    ) -> None:
        self._begin = partial(transactions.read if dry_run else transactions.begin, actor)
        self._issuer = issuer
        self._status = status
        self._owner = owner
        self._signatures = signatures
        self._dry_run = dry_run
        self._refuse = refuse
        self._taken = self._known = self._refused = 0

    def through(self, examined: Iterable[Examined], progress: Callable[[int], None]) -> ImportReport:
        missing = set(self._status.revoked())
        for stretch in _stretches(self._found(examined)):
            missing.difference_update(read.serial for _, _, read in stretch)
            self._stretch(stretch)
            progress(len(stretch))
        for serials in _stretches(iter(sorted(missing))):
            with self._begin() as tx:
                here = tx.imports.known(self._issuer, serials)
            for serial in serials:
                if serial not in here:
                    self._turn_away("status", None, serial, "it is revoked, and its certificate was not given")
        return ImportReport(taken=self._taken, known=self._known, refused=self._refused)

    def _found(self, examined: Iterable[Examined]) -> Iterator[Given]:
        for piece in examined:
            for refusal in piece.refused:
                self._turn_away(*refusal)
            yield from piece.found

    def _turn_away(self, source: str, position: int | None, serial: str | None, reason: str) -> None:
        self._refused += 1
        self._refuse(Refusal(source, position, serial, reason))

    def _stretch(self, stretch: Sequence[Given]) -> None:
        status = self._status
        refused: list[tuple[Given, str]] = []
        fresh: list[Fresh] = []
        known = 0
        with self._begin() as tx:
            here = dict(tx.imports.known(self._issuer, [read.serial for _, _, read in stretch]))
            for given in stretch:
                read = given[2]
                if read.serial in here:
                    if here[read.serial] == read.sha256:
                        known += 1
                    else:
                        refused.append((given, "another certificate with this serial number is here already"))
                elif status.names_all and read.serial not in status.by_serial:
                    refused.append((given, "the index does not name it"))
                else:
                    here[read.serial] = read.sha256
                    fresh.append((tx.new_id(), read, status.by_serial.get(read.serial)))
            if fresh and not self._dry_run:
                add_import(
                    tx,
                    self._issuer,
                    self._owner,
                    fresh,
                    signatures=self._signatures,
                    status=status.sha256.hex(),
                )
        self._taken += len(fresh)
        self._known += known
        for (source, position, read), reason in refused:
            self._turn_away(source, position, read.serial, reason)


def _stretches(items: Iterator[T]) -> Iterator[list[T]]:
    while stretch := list(islice(items, STRETCH)):
        yield stretch
