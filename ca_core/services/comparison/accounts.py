"""Accounts: what they may, and whether they are open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ca_core.domain.access import Role
from ca_core.domain.account import Account
from ca_core.domain.audit import AuditRecord
from ca_core.services.comparison.by_object import ByObject, Said

OPEN_AFTER = {"account.deactivated": False, "account.reactivated": True}


class Accounts(ByObject[Account]):
    """An account that waits for its second administrator is there without rights: its first record asks for them."""

    table = "accounts"
    kind = Account
    made_by = frozenset({"account.created", "account.registered", "account.change-asked"})
    actions = frozenset({"account.roles-changed", "account.access-reset", *OPEN_AFTER})

    def recorded(self, records: Sequence[AuditRecord]) -> Mapping[str, Said]:
        first = records[0].sequence
        said: dict[str, Said] = {
            "roles": (first, frozenset()),
            "centres": (first, frozenset()),
            "active": (first, True),
        }
        for record in records:
            if record.action in OPEN_AFTER:
                said["active"] = (record.sequence, OPEN_AFTER[record.action])
            elif record.action == "account.registered":
                said["roles"] = (record.sequence, frozenset({Role.SUBSCRIBER.value}))
            elif record.action != "account.change-asked":
                for name in ("roles", "centres"):
                    if isinstance(given := record.details.get(name), list):
                        said[name] = (record.sequence, frozenset(map(str, given)))
        return said

    def stated(self, row: Account) -> Mapping[str, object]:
        return {
            "roles": frozenset(role.value for role in row.roles),
            "centres": frozenset(map(str, row.centres)),
            "active": row.active,
        }
