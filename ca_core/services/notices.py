"""Notices: what people are told about a change, queued with it, written in their language, sent once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Actor, Permission
from ca_core.domain.application import Application
from ca_core.domain.audit import said
from ca_core.domain.certificate import Certificate
from ca_core.domain.errors import IntegrityAlarm
from ca_core.domain.work import Job, JobKind, Notice, NoticeState
from ca_core.services.notice_texts import NoticeTexts
from ca_core.services.ports import Mailer, Transaction, Transactions

TEXTS = NoticeTexts.shipped()


def notify(
    tx: Transaction,
    account: UUID,
    kind: str,
    *,
    application: Application | None = None,
    certificate: Certificate | None = None,
    **context: str,
) -> None:
    """Tell the account, in the transaction of the change that it is told of.

    Number, note and due date come from the application, serial number from the certificate. IntegrityAlarm when the
    template asks for more than that and ``context`` give, or does not exist."""
    known = dict(context)
    if application is not None:
        known |= {"number": application.number, "note": application.note}
        if application.due_at is not None:
            known["due"] = application.due_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    if certificate is not None:
        known["serial"] = certificate.serial.hex
    about = application.id if application is not None else certificate.application if certificate else None
    queue_notices(tx, [notice_of(tx, account, kind, about=about, **known)], run_at=tx.now)


def notice_of(tx: Transaction, account: UUID, kind: str, *, about: UUID | None, **known: str) -> Notice:
    """What :func:`queue_notices` queues; ``about`` is an application. IntegrityAlarm when the template asks for more
    than is known, or does not exist."""
    needed = TEXTS.placeholders(kind)
    if missing := needed - known.keys():
        raise IntegrityAlarm(f"the notice {kind!r} needs {', '.join(sorted(missing))}")
    return Notice(
        id=tx.new_id(),
        account=account,
        kind=kind,
        context={name: known[name] for name in sorted(needed)},
        application=about,
        created_at=tx.now,
    )


def queue_notices(tx: Transaction, notices: Sequence[Notice], *, run_at: datetime) -> None:
    """Tell all of them, at that moment or later."""
    for notice in notices:
        tx.jobs.add_notice(notice)
        tx.audit.record(
            "notice.queued",
            "notice",
            notice.id,
            account=str(notice.account),
            notice=notice.kind,
            application=str(notice.application) if notice.application else None,
            context=context_digest(notice.context),
        )
        arguments = {"notice": str(notice.id)}
        tx.jobs.enqueue(JobKind.NOTICE, arguments, dedupe_key=f"notice:{notice.id}", run_at=run_at)


def context_digest(context: Mapping[str, str]) -> str:
    """What stands on record for what a notice tells."""
    return said(json.dumps(dict(context), sort_keys=True, ensure_ascii=False))


class Notices:
    """Shows and sends them."""

    def __init__(self, transactions: Transactions, *, mailer: Mailer | None, installation: str) -> None:
        """Without ``mailer`` notices are shown in the cabinet only. ``installation`` signs them."""
        self._transactions = transactions
        self._mailer = mailer
        self._installation = installation

    def of(self, actor: Actor) -> Sequence[Notice]:
        """The caller's own, newest first."""
        with self._transactions.read(actor) as tx:
            return tx.jobs.notices_of(actor.id)

    def about(self, actor: Actor, application: UUID) -> Sequence[Notice]:
        """All that anybody was told about an application, oldest first; for whoever reads the record."""
        actor.require(Permission.AUDIT_VIEW)
        with self._transactions.read(actor) as tx:
            return tx.jobs.notices_about(application)

    def deliver(self, job: Job) -> None:
        """The handler of ``notice`` jobs. Sent again only after a crash, then under the same Message-ID."""
        if self._mailer is None:
            return
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            notice = tx.jobs.notice(UUID(str(job.arguments["notice"])))
            account = tx.accounts.get(notice.account, seen_by=EVERYTHING)
        if notice.state is NoticeState.SENT or not account.active:
            return
        subject, text = TEXTS.render(
            notice.kind,
            account.language,
            {**notice.context, "name": account.name, "installation": self._installation},
        )
        self._mailer.send(to=account.email, subject=subject, text=text, message_id=str(notice.id))
        with self._transactions.begin(SYSTEM_ACTOR) as tx:
            tx.jobs.mark_sent(notice.id, tx.now)
            tx.audit.record("notice.sent", "notice", notice.id, to=said(account.email), text=said(f"{subject}\n{text}"))
