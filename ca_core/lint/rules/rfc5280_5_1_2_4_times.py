"""RFC 5280 §5.1.2.4, §5.1.2.5: right types of time, and the next update comes after this one."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.crl_subject import CrlSubject
from ca_core.x509 import der


def check(subject: CrlSubject) -> Iterable[str]:
    crl = subject.crl
    if crl.encoded_times != der.time(crl.this_update) + der.time(crl.next_update):
        yield "an update is written in the wrong type of time for its year"
    if crl.next_update <= crl.this_update:
        yield "nextUpdate is not later than thisUpdate"
