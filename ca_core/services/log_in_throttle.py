"""Slowing down whoever guesses, without keeping out whoever the account belongs to."""

from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from uuid import UUID

from ca_core.services.account_rules import ANYWHERE, HERE, after_failure, is_locked
from ca_core.services.ports import SymmetricKeys, Transaction
from ca_core.services.sealing import PURPOSE

KNOWN_FOR = timedelta(days=30)
"""How long a source from which the account logged in is not slowed down by what others do."""
EVERY_SOURCE = bytes(32)
"""Where the count over all sources is kept."""


class LogInThrottle:
    """Counts failures by account and source, and by account alone. Of the source only a keyed digest is kept."""

    def __init__(self, keys: SymmetricKeys) -> None:
        self._keys = keys

    def refuses(self, tx: Transaction, account: UUID, source: str) -> bool:
        """Whether nothing is tried now for this account from there."""
        here = tx.log_ins.get(account, self._digest(source))
        if is_locked(here, tx.now):
            return True
        if here.last_success is not None and tx.now - here.last_success < KNOWN_FOR:
            return False
        return is_locked(tx.log_ins.get(account, EVERY_SOURCE), tx.now)

    def failed(self, tx: Transaction, account: UUID, source: str) -> None:
        """Count and record it, unless a failure beside it has locked the door already."""
        tx.log_ins.lock(account)
        if self.refuses(tx, account, source):
            return
        here = after_failure(tx.log_ins.get(account, self._digest(source)), tx.now, HERE)
        tx.log_ins.save(here)
        tx.log_ins.save(after_failure(tx.log_ins.get(account, EVERY_SOURCE), tx.now, ANYWHERE))
        tx.audit.record("account.login-failed", "account", account, failures=here.failures)

    def succeeded(self, tx: Transaction, account: UUID, source: str) -> None:
        """The source is known from now on, and its count begins anew."""
        here = tx.log_ins.get(account, self._digest(source))
        tx.log_ins.save(replace(here, failures=0, since=tx.now, locked_until=None, last_success=tx.now))

    def _digest(self, source: str) -> bytes:
        # A new key makes every source a new one, which costs nobody more than the count.
        _, key = self._keys.current(PURPOSE)
        return hmac.digest(key, b"pechatnik log-in source 1\0" + network_of(source).encode(), "sha256")


def network_of(source: str) -> str:
    """The address, or of IPv6 the network of 64 bits that one customer has; what is no address stays as it is."""
    try:
        address = ip_address(source)
    except ValueError:
        return source
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or ip_network((int(address), 64), strict=False))
