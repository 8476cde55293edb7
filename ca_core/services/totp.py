"""Time-based one-time codes (RFC 6238): six digits, SHA-1, steps of 30 s, as authenticator applications make them."""

from __future__ import annotations

import base64
import hmac
import re
from datetime import datetime

from pyotp import HOTP, TOTP

from ca_core.domain.errors import InvalidInput
from ca_core.domain.identifiers import Entropy

STEP = 30
"""Seconds."""
DRIFT = 1
"""Steps that the other clock may be off, either way (RFC 6238 §5.2)."""
SECRET_OCTETS = 20
"""RFC 4226 §4 R6 recommends 160 bits."""

_CODE = re.compile(r"[0-9]{6}")
_SECRET = re.compile(r"[A-Z2-7]{32}")


def new_secret(entropy: Entropy) -> str:
    """A secret in base32, 32 characters."""
    return base64.b32encode(entropy(SECRET_OCTETS)).decode("ascii")


def checked_secret(secret: str) -> str:
    """The secret, if it has the form of :func:`new_secret`; InvalidInput."""
    if not _SECRET.fullmatch(secret):
        raise InvalidInput("this is not a secret for one-time codes; start the set-up again")
    return secret


def provisioning_uri(secret: str, *, account: str, issuer: str) -> str:
    """The ``otpauth:`` address that an authenticator application reads from a picture."""
    return TOTP(checked_secret(secret), interval=STEP).provisioning_uri(name=account, issuer_name=issuer)


def matching_step(secret: str, code: str, *, now: datetime, after: int) -> int | None:
    """The time step whose code this is, or None. Steps up to ``after`` were used already (RFC 6238 §5.2)."""
    given = "".join(code.split())
    if not _CODE.fullmatch(given):
        return None
    codes = HOTP(checked_secret(secret))
    present = int(now.timestamp()) // STEP
    found = None
    # All of them are compared, so that the time taken says nothing.
    for step in range(present - DRIFT, present + DRIFT + 1):
        if hmac.compare_digest(codes.at(step), given) and step > after:
            found = step
    return found
