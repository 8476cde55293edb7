"""RFC 3161 §2.3: a key reserved for time-stamping signs, with an algorithm that fits."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.timestamp_subject import TimestampSubject
from ca_core.x509 import extension_values
from ca_core.x509.algorithm import fits, key_algorithm_of, signature_algorithm_of
from ca_core.x509.key_usage import TIME_STAMPING


def check(subject: TimestampSubject) -> Iterable[str]:
    purposes = subject.tsa.extension(extension_values.EXTENDED_KEY_USAGE)
    if subject.tsa.extended_key_usage != (TIME_STAMPING,) or purposes is None or not purposes.critical:
        yield "the signer's certificate is not for time-stamping alone, critically"
    if not fits(key_algorithm_of(subject.tsa.public_key_info), signature_algorithm_of(subject.signature_algorithm)):
        yield "the authority's key cannot make a signature of this algorithm"
    if subject.info.tsa != subject.tsa.subject:
        yield "the token does not name the authority whose key signs it"
