"""Proof that mail to an address reaches whoever logs in to the account: a letter with a link, good once.

The link holds what it is about, sealed: nothing of it is stored, and it ends with the state that it was made for."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Actor, Visibility
from ca_core.domain.account import Account
from ca_core.domain.audit import said
from ca_core.domain.errors import AddressUnconfirmed, Duplicate, IntegrityAlarm, InvalidInput, NotFound, NotPermitted
from ca_core.domain.work import Job, JobKind
from ca_core.services.notices import TEXTS, notify
from ca_core.services.ports import Mailer, Transaction, Transactions
from ca_core.services.sealing import Sealing

LINK_LASTS = timedelta(hours=24)


class Addresses:
    """Asks for confirmation and takes it. Without a mailer nobody can be asked, and every address counts."""

    def __init__(
        self,
        transactions: Transactions,
        *,
        sealing: Sealing,
        mailer: Mailer | None,
        public_url: str,
        installation: str,
    ) -> None:
        self._transactions = transactions
        self._sealing = sealing
        self._mailer = mailer
        self._public_url = public_url.rstrip("/")
        self._installation = installation

    @property
    def confirmable(self) -> bool:
        """Whether letters go out at all."""
        return self._mailer is not None

    def waits(self, account: Account) -> bool:
        """Whether the account's address has still to be confirmed."""
        return self.confirmable and account.email_confirmed_at is None

    def given_up(self, tx: Transaction, account: Account) -> bool:
        """Whether nobody confirmed the address while the first link was good, and nothing hangs on the account: then
        it is of whoever registers the address next."""
        return (
            self.waits(account)
            and account.active
            and not account.is_staff
            and tx.now >= account.created_at + LINK_LASTS
            and not tx.account_changes.waiting(account.id)
            and not tx.applications.count(seen_by=Visibility(owner=account.id))
        )

    def require_confirmed(self, tx: Transaction, account: UUID) -> None:
        """AddressUnconfirmed while the account's address has to be confirmed."""
        if self.waits(tx.accounts.get(account, seen_by=EVERYTHING)):
            raise AddressUnconfirmed("confirm your e-mail address first: the link is in the letter that we sent to it")

    def ask(self, tx: Transaction, account: Account, address: str) -> None:
        """Send the link to the address, which becomes the account's when it is confirmed."""
        if self.confirmable:
            self._write(tx, account, "confirm-address", address, expires=(tx.now + LINK_LASTS).isoformat())
            tx.audit.record("account.address-asked", "account", account.id, address=said(address))

    def ask_again(self, actor: Actor) -> None:
        """Another link to the present address; nothing where it is confirmed."""
        with self._transactions.begin(actor) as tx:
            account = tx.accounts.get(actor.id, seen_by=EVERYTHING)
            if self.waits(account):
                self.ask(tx, account, account.email)

    def asked(self, actor: Actor, token: str) -> str:
        """The address that the link would confirm; InvalidInput as of :meth:`confirm`."""
        with self._transactions.read(actor) as tx:
            return self._asked(token, tx.accounts.get(actor.id, seen_by=EVERYTHING), tx.now)

    def confirm(self, actor: Actor, token: str) -> Account:
        """Take the link, by whoever is logged in to the account that it was made for. InvalidInput for one that is
        spent, too old, of another account or none at all; Duplicate when the address got an account meanwhile;
        NotPermitted for another address of somebody who became staff meanwhile."""
        if actor.scopes is not None:
            raise NotPermitted("an API token cannot do this; log in with the password")
        with self._transactions.begin(actor) as tx:
            account = tx.accounts.get(actor.id, seen_by=EVERYTHING)
            old, new = account.email, self._asked(token, account, tx.now)
            if account.is_staff and new != old:  # asked for before the account became staff's
                raise NotPermitted("this address is not changed here; ask an administrator")
            known = tx.accounts.by_email(new)
            if known is not None and known.id != account.id:
                raise Duplicate("there is an account with this e-mail address already")
            confirmed = tx.accounts.replace(replace(account, email=new, email_confirmed_at=tx.now))
            tx.audit.record("account.address-confirmed", "account", account.id, address=said(new), before=said(old))
            if new != old:
                self._write(tx, account, "address-changed", old)
                notify(tx, account.id, "address-changed")
            return confirmed

    def deliver(self, job: Job) -> None:
        """The handler of ``letter`` jobs."""
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            account = tx.accounts.get(UUID(str(job.arguments["account"])), seen_by=EVERYTHING)
            now = tx.now
        sealed = bytes.fromhex(str(job.arguments["sealed"]))
        content = self._sealing.open(sealed, bound_to=_letter_of(account))
        letter = json.loads(content)
        asks = "expires" in letter
        if self._mailer is None or not account.active or (asks and not _still_good(letter, account, now)):
            return
        values = {"name": account.name, "installation": self._installation}
        if asks:
            token = base64.urlsafe_b64encode(self._sealing.seal(content, bound_to=_link_of(account)))
            values["link"] = f"{self._public_url}/confirm-address?token={token.decode('ascii')}"
        subject, text = TEXTS.render(letter["kind"], account.language, values)
        self._mailer.send(to=letter["to"], subject=subject, text=text, message_id=str(job.id))
        with self._transactions.begin(SYSTEM_ACTOR) as tx:
            tx.audit.record("letter.sent", "account", account.id, letter=letter["kind"], to=said(letter["to"]))

    def _write(self, tx: Transaction, account: Account, kind: str, to: str, **more: str) -> None:
        """Queue a letter. Only its sealed content names the address, and only the mail holds the link: whoever reads
        the jobs confirms nothing."""
        content = {"kind": kind, "to": to, "from": account.email, "since": _since(account), **more}
        sealed = self._sealing.seal(json.dumps(content).encode(), bound_to=_letter_of(account))
        tx.jobs.enqueue(JobKind.LETTER, {"account": str(account.id), "sealed": sealed.hex()})

    def _asked(self, token: str, account: Account, now: datetime) -> str:
        letter = self._opened(token, account)
        if letter is None or not _still_good(letter, account, now):
            raise InvalidInput("this link is not right, too old or used already; let us send another one")
        return letter["to"]

    def _opened(self, token: str, account: Account) -> dict[str, str] | None:
        try:
            sealed = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
            letter: dict[str, str] = json.loads(self._sealing.open(sealed, bound_to=_link_of(account)))
        except (ValueError, binascii.Error, IntegrityAlarm, NotFound):
            return None
        return letter


def _still_good(letter: dict[str, str], account: Account, now: datetime) -> bool:
    """Whether nothing was confirmed since it was written, and it is not too old."""
    unchanged = (letter["from"], letter["since"]) == (account.email, _since(account))
    return unchanged and now < datetime.fromisoformat(letter["expires"])


def _since(account: Account) -> str:
    return account.email_confirmed_at.isoformat() if account.email_confirmed_at else ""


def _letter_of(account: Account) -> bytes:
    return b"letter\0" + account.id.bytes


def _link_of(account: Account) -> bytes:
    return b"link that confirms an address\0" + account.id.bytes
