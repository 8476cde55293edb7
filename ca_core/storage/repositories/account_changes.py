"""Changes of accounts that two administrators make."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection

from ca_core.domain.account import AccountChange
from ca_core.storage.rows import EntityRows
from ca_core.storage.tables import account_changes

C = account_changes.c


class AccountChangeRows(EntityRows[AccountChange]):
    """See :class:`ca_core.services.ports.AccountChanges`."""

    what = "change"

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, account_changes, AccountChange)

    def waiting(self, account: UUID | None = None) -> Sequence[AccountChange]:
        chosen = self._select().where(C.decided_at.is_(None)).order_by(C.id)
        return self._all(chosen if account is None else chosen.where(C.account == account))
