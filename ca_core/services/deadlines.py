"""Deadlines seen by nobody are missed: warnings, escalation, claims that ran out, applications left lying."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from ca_core.domain.access import SYSTEM_ACTOR, Role
from ca_core.domain.application import Application, ApplicationState
from ca_core.domain.deadline import DeadlineStage
from ca_core.domain.errors import CaError
from ca_core.services.clock import DecisionClock
from ca_core.services.events import emit
from ca_core.services.notices import notify
from ca_core.services.ports import Transaction, Transactions
from ca_core.services.review import unclaimed

S = ApplicationState
LEFT_LYING = (S.DRAFT, S.RETURNED, S.AWAITING_KEY, S.REQUEST_RECEIVED)
"""States in which the applicant has to act, and may have forgotten."""
BATCH = 200
"""Applications that one round expires at most."""


class DeadlineWatch:
    """Run by the worker every minute or so; doing it twice does nothing twice."""

    def __init__(self, transactions: Transactions, clock: DecisionClock, *, open_for: timedelta) -> None:
        self._transactions = transactions
        self._clock = clock
        self._open_for = open_for

    def tick(self) -> int:
        """Returns how many applications were touched. Each has a transaction of its own, and one that fails keeps no
        other from its warning; the first failure is raised when all were looked at."""
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            now = tx.now
            due: list[tuple[Callable[[Transaction, Application], bool], Application]] = [
                *((self._release, one) for one in tx.applications.expired_claims(tx.now)),
                *((self._warn, one) for one in tx.applications.running_clocks()),
                *(
                    (self._expire, one)
                    for one in tx.applications.unmoved_since(tx.now - self._open_for, states=LEFT_LYING, limit=BATCH)
                ),
            ]
        touched, failures = 0, []
        for act, application in due:
            try:
                if act == self._warn and not self._is_later_stage(application, now):
                    continue  # which is so for nearly all of them, nearly always: no transaction for that
                with self._transactions.begin(SYSTEM_ACTOR) as tx:
                    current = tx.applications.get(application.id, seen_by=SYSTEM_ACTOR.visibility)
                    touched += current.state is application.state and act(tx, current)
            except CaError as failure:
                failures.append(failure)
        if failures:
            raise failures[0]
        return touched

    def _release(self, tx: Transaction, application: Application) -> bool:
        if application.claim_expires is None or application.claim_expires > tx.now:
            return False
        tx.applications.replace(unclaimed(application, at=tx.now))
        tx.audit.record("application.claim-expired", "application", application.id)
        return True

    def _is_later_stage(self, application: Application, now: datetime) -> bool:
        stages = list(DeadlineStage)
        return stages.index(self._clock.stage(application, now)) > stages.index(DeadlineStage(application.clock_stage))

    def _warn(self, tx: Transaction, application: Application) -> bool:
        if not self._is_later_stage(application, tx.now):
            return False
        stage = self._clock.stage(application, tx.now)
        tx.applications.replace(replace(application, clock_stage=stage.value))
        tx.audit.record(f"deadline.{stage.value}", "application", application.id)
        told = {account.id for account in tx.accounts.with_role(Role.OPERATOR, centre=application.centre)}
        if stage is DeadlineStage.OVERDUE:
            told |= {account.id for account in tx.accounts.with_role(Role.REVIEWER)}
        for account in sorted(told):
            notify(tx, account, f"deadline-{stage.value}", application=application)
        emit(tx, f"deadline.{stage.value}", application=application.id)
        return True

    def _expire(self, tx: Transaction, application: Application) -> bool:
        if tx.certificates.intents_of((application.id,)):
            return False
        tx.applications.replace(self._clock.stop(application.step(S.EXPIRED, at=tx.now), at=tx.now))
        tx.audit.record("application.expired", "application", application.id)
        notify(tx, application.owner, "application-expired", application=application)
        return True
