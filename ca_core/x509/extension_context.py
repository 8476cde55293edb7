"""What an extension's value may depend on beside its rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class ExtensionContext:
    """The facts of one certificate that extensions are made from."""

    subject_public_key_info: bytes
    """DER."""
    issuer_key_identifier: bytes | None
    """The issuer's subject key identifier; None when the certificate is self-signed."""
    not_before: datetime
    not_after: datetime
    san: Sequence[tuple[str, str]] = ()
    """Alternative names as (type, value), types as in :mod:`ca_core.x509.general_name`."""
    subject_is_empty: bool = False
    """Whether the subject name has no attribute."""
    urls: Mapping[str, str] = field(default_factory=dict)
    """Addresses of the issuer: ``crl``, ``freshest_crl``, ``ocsp``, ``ca_issuers``."""
    fields: Mapping[str, int | str] = field(default_factory=dict)
    """Values that packs refer to by name: ``identification``."""
    path_length: int | None = None
    """How many CAs may stand below; overrides the rule's ``path_length``."""


Encoder = Callable[[ExtensionContext], bytes | None]
"""Makes the extension's value, or None when the extension is to be left out."""


def constant(value: bytes) -> Encoder:
    """An encoder whose value depends on nothing."""
    return lambda _: value
