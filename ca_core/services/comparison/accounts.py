"""Accounts: what they may, whether they are open, and which address was confirmed for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ca_core.domain.access import Role
from ca_core.domain.account import Account
from ca_core.domain.audit import AuditRecord, said as words_digest
from ca_core.services.comparison.by_object import ByObject, Said

OPEN_AFTER = {"account.deactivated": False, "account.reactivated": True}
REGISTERED = frozenset({"account.registered", "account.registered-again"})
ADDRESS = frozenset({"account.address-asked", "account.address-confirmed"})


class Accounts(ByObject[Account]):
    """An account that waits for its second administrator is there without rights: its first record asks for them."""

    table = "accounts"
    kind = Account
    made_by = frozenset({"account.created", "account.registered", "account.change-asked"})
    actions = frozenset({"account.roles-changed", "account.access-reset", *REGISTERED, *ADDRESS, *OPEN_AFTER})

    def recorded(self, records: Sequence[AuditRecord]) -> Mapping[str, Said]:
        first = records[0].sequence
        said: dict[str, Said] = {
            "roles": (first, frozenset()),
            "centres": (first, frozenset()),
            "active": (first, True),
        }
        registered = None
        for record in records:
            if record.action in OPEN_AFTER:
                said["active"] = (record.sequence, OPEN_AFTER[record.action])
            elif record.action in REGISTERED:
                registered = record.sequence
                said["roles"] = (record.sequence, frozenset({Role.SUBSCRIBER.value}))
            elif record.action in ADDRESS:
                # Asked with the registration, of the address that the account has; later, of one that it may get.
                confirmed = record.action == "account.address-confirmed"
                if confirmed or record.sequence - 1 == registered:
                    said["email"] = (record.sequence, record.details.get("address"))
                    said["confirmed"] = (record.sequence, record.at if confirmed else None)
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
            "email": words_digest(row.email),
            "confirmed": row.email_confirmed_at,
        }
