"""RFC 5280 §5.1.2.6, §5.3: each certificate once, revoked before the list was made, for a reason that may stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import lt

from ca_core.lint.crl_subject import CrlSubject
from ca_core.x509 import der
from ca_core.x509.crl_entries import REMOVAL, REMOVE_FROM_CRL, RevokedEntry, entry_batches


def check(subject: CrlSubject) -> Iterable[str]:
    crl = subject.crl
    if not crl.revoked and crl.tbs.count(crl.encoded_times + b"\x30\x00"):
        yield "the list of entries is written although it is empty"
    # Twelve octets do not come by chance: where they are not, nothing is removed.
    may_remove = crl.delta_base is not None or REMOVAL not in crl.tbs
    made = der.time(crl.this_update)
    last = b""
    for batch in entry_batches(crl.revoked):
        # There may be a million: what is compared here are octets, and whoever stands out is read.
        keys = [entry[4 + (not entry[4]) : 4 + entry[3]] for entry in batch]
        if not last < keys[0] or not all(map(lt, keys, keys[1:])):
            yield "a certificate is listed twice, or not in the order of serial numbers"
        last = keys[-1]
        latest = max([entry[4 + entry[3] : 4 + entry[3] + len(made)] for entry in batch])
        if latest > made or not may_remove:
            yield from _read(batch, subject)


def _read(batch: Sequence[bytes], subject: CrlSubject) -> Iterable[str]:
    for entry in map(RevokedEntry.parse, batch):
        if entry.revoked_at > subject.crl.this_update:
            yield "a certificate is revoked later than the list was made"
        if entry.reason == REMOVE_FROM_CRL and subject.crl.delta_base is None:
            yield "removeFromCRL stands in a list that is no delta"
