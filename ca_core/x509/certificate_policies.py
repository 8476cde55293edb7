"""The certificate policies extension (RFC 5280 §4.2.1.4)."""

from __future__ import annotations

from ca_core.x509 import der
from ca_core.x509.extension_context import Encoder, constant
from ca_core.x509.extension_parameters import Parameters
from ca_core.x509.general_name import check_uri

_CPS = "1.3.6.1.5.5.7.2.1"
_USER_NOTICE = "1.3.6.1.5.5.7.2.2"
_MAX_NOTICE = 200
"""Characters of an explicitText."""


def certificate_policies(parameters: Parameters) -> Encoder:
    """``policies``: a list of tables with ``oid`` and, where wanted, ``cps`` (a URI) and ``notice`` (a text)."""
    encoded: list[bytes] = []
    seen: set[str] = set()
    for policy in parameters.tables("policies"):
        oid = policy.oid("oid")
        if oid in seen:
            policy.refuse("oid", f"the policy {oid} is listed twice")
        seen.add(oid)
        qualifiers: list[bytes] = []
        if policy.has("cps"):
            uri = policy.text("cps")
            if fault := check_uri(uri):
                policy.refuse("cps", fault)
            qualifiers.append(der.sequence(der.oid(_CPS), der.ia5_string(uri)))
        if policy.has("notice"):
            notice = policy.text("notice")
            if len(notice) > _MAX_NOTICE or not notice.isprintable():
                policy.refuse("notice", f"it has at most {_MAX_NOTICE} printable characters")
            qualifiers.append(der.sequence(der.oid(_USER_NOTICE), der.sequence(der.utf8_string(notice))))
        policy.close()
        encoded.append(der.sequence(der.oid(oid), der.sequence(*qualifiers) if qualifiers else b""))
    return constant(der.sequence(*encoded))
