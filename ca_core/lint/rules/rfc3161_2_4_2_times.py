"""RFC 3161 §2.4.2: the accuracy is stated, and genTime lies in the times of the authority's certificate and key."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from ca_core.lint.timestamp_subject import TimestampSubject
from ca_core.x509.extension_values import key_period_of


def check(subject: TimestampSubject) -> Iterable[str]:
    if not subject.info.accuracy or subject.info.accuracy < timedelta(0):
        yield "the accuracy is not stated"
    begin, end = key_period_of(subject.tsa)
    if not begin <= subject.info.gen_time <= end:
        yield "the authority's certificate or private key is not in its time"
