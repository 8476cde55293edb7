"""PEM text (RFC 7468), strict: one block, nothing but white space around it."""

from __future__ import annotations

import base64
import binascii
import re

from ca_core.domain.errors import MalformedDer
from ca_core.x509.algorithm import key_algorithm_of

_BLOCK = re.compile(rb"\s*-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n([A-Za-z0-9+/=\s]+?)-----END ([A-Z0-9 ]{1,40})-----\s*")


def to_pem(der: bytes, label: str = "CERTIFICATE") -> str:
    """The PEM text of one DER structure, lines of 64 characters, a newline at the end."""
    body = base64.b64encode(der).decode("ascii")
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


def from_pem(text: bytes, *labels: str) -> bytes:
    """The DER in the one PEM block of ``text``; :class:`MalformedDer` for another label or a second block."""
    found = _BLOCK.fullmatch(text)
    if found is None or found[1] != found[3]:
        raise MalformedDer("the text is not exactly one PEM block")
    if found[1].decode("ascii") not in labels:
        raise MalformedDer(f"the PEM block is not a {labels[0]}")
    try:
        return base64.b64decode(b"".join(found[2].split()), validate=True)
    except binascii.Error:
        raise MalformedDer("the PEM block is not valid base64") from None


def public_key_info(data: bytes) -> bytes:
    """The DER SubjectPublicKeyInfo in a PEM text or in DER, its form checked as :func:`key_algorithm_of` does."""
    der = from_pem(data, "PUBLIC KEY") if b"-----BEGIN" in data else data
    key_algorithm_of(der)
    return der
