"""RFC 3161 §2.4.2: the token is about what was asked: imprint, nonce, and the policy where one was named."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.timestamp_subject import TimestampSubject


def check(subject: TimestampSubject) -> Iterable[str]:
    if subject.info.imprint.der != subject.request.imprint.der:
        yield "the message imprint is another than was sent"
    if subject.info.nonce != subject.request.nonce:
        yield "the nonce is another than was sent"
    if subject.request.policy not in (None, subject.info.policy):
        yield "the policy is another than was asked for"
