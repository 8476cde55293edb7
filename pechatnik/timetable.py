"""Which rounds there are, and how often each is made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import structlog

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.services.account_rules import HERE
from ca_core.services.idempotency import KEPT_FOR
from ca_core.services.log_in_throttle import KNOWN_FOR
from ca_core.services.suite import Services
from ca_core.storage.transactions import Transactions
from crl.office import CrlOffice
from ocsp.presigning import Presigner
from pechatnik.rounds import Rounds

log = structlog.get_logger("audit")


def rounds_of(
    services: Services,
    crls: CrlOffice,
    presigner: Presigner | None,
    transactions: Transactions,
    monotonic: Callable[[], float],
) -> Rounds:
    """The worker's rounds over these services; ``presigner`` None where no answers are signed before they are asked
    for."""

    def reach() -> None:
        with transactions.read(SYSTEM_ACTOR):
            pass

    def seal() -> None:
        checkpoint = services.audit.seal(SYSTEM_ACTOR)
        # A log collector keeps the chain's end where whoever has this machine cannot cut it off.
        log.info(
            "audit chain sealed",
            sequence=checkpoint.sequence,
            digest=checkpoint.digest.hex(),
            signature=checkpoint.signature.hex(),
            at=checkpoint.at.isoformat(),
        )

    def forget() -> object:
        with transactions.begin(SYSTEM_ACTOR) as tx:
            return (
                tx.accounts.delete_sessions(expired_at=tx.now)
                + tx.accounts.forget_before(tx.now - KEPT_FOR)
                + tx.log_ins.forget_quiet(counted_before=tx.now - HERE.within, known_before=tx.now - KNOWN_FOR)
            )

    presigning = {} if presigner is None else {"presigning": (timedelta(minutes=5), presigner.tick)}
    return Rounds(
        monotonic=monotonic,
        reach=reach,
        rounds={
            "reconciliation": (timedelta(minutes=1), services.reconciliation.tick),
            "deadlines": (timedelta(minutes=1), services.deadlines.tick),
            "crl": (timedelta(minutes=1), crls.tick),
            "responders": (timedelta(hours=1), lambda: services.authorities.renew_responders(SYSTEM_ACTOR)),
            "time-stamping authorities": (timedelta(hours=1), lambda: services.time_stamping_units.renew(SYSTEM_ACTOR)),
            **presigning,
            "audit-seal": (timedelta(hours=1), seal),
            "sessions and answers": (timedelta(hours=1), forget),
            "recheck": (timedelta(hours=1), services.recheck.queue),
            "retention": (timedelta(days=1), services.retention.tick),
            "interrupted uploads": (timedelta(days=1), services.retention.sweep),
        },
    )
