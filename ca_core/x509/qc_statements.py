"""Statements on qualified certificates (RFC 3739 §3.2.6, ETSI EN 319 412-5 §4)."""

from __future__ import annotations

from ca_core.x509 import der
from ca_core.x509.extension_context import Encoder, constant
from ca_core.x509.extension_parameters import Parameters
from ca_core.x509.general_name import check_uri

SYNTAX_V2 = "1.3.6.1.5.5.7.11.2"
COMPLIANCE = "0.4.0.1862.1.1"
LIMIT_VALUE = "0.4.0.1862.1.2"
RETENTION_PERIOD = "0.4.0.1862.1.3"
SSCD = "0.4.0.1862.1.4"
PDS = "0.4.0.1862.1.5"
TYPE = "0.4.0.1862.1.6"
LEGISLATION = "0.4.0.1862.1.7"

TYPES = {"esign": "0.4.0.1862.1.6.1", "eseal": "0.4.0.1862.1.6.2", "web": "0.4.0.1862.1.6.3"}
SEMANTICS = {
    "natural": "0.4.0.194121.1.1",
    "legal": "0.4.0.194121.1.2",
    "eidas-natural": "0.4.0.194121.1.3",
    "eidas-legal": "0.4.0.194121.1.4",
}
"""EN 319 412-1 §5: how identifiers in the subject are to be read."""


def qc_statements(parameters: Parameters) -> Encoder:
    """All parameters may be left out, but one statement is needed.

    ``semantics`` (a key of :data:`SEMANTICS`), ``compliance``, ``sscd`` (booleans), ``types`` (keys of
    :data:`TYPES`), ``retention_years``, ``legislation`` (country codes), ``pds`` (tables of ``url``, ``language``),
    ``limit`` (a table of ``currency``, ``amount``, ``exponent``: amount x 10^exponent).
    """
    statements: list[bytes] = []
    if parameters.has("semantics"):
        semantics = parameters.text("semantics")
        if semantics not in SEMANTICS:
            parameters.refuse("semantics", f"use one of {', '.join(SEMANTICS)}")
        statements.append(_statement(SYNTAX_V2, der.sequence(der.oid(SEMANTICS[semantics]))))
    if parameters.boolean("compliance"):
        statements.append(_statement(COMPLIANCE))
    if parameters.has("limit"):
        statements.append(_statement(LIMIT_VALUE, _limit(parameters.table("limit"))))
    if parameters.has("retention_years"):
        years = parameters.integer("retention_years", least=0, most=100)
        statements.append(_statement(RETENTION_PERIOD, der.integer(years)))
    if parameters.boolean("sscd"):
        statements.append(_statement(SSCD))
    if parameters.has("pds"):
        statements.append(_statement(PDS, der.sequence(*map(_pds, parameters.tables("pds")))))
    if parameters.has("types"):
        types = parameters.texts("types")
        for kind in types:
            if kind not in TYPES:
                parameters.refuse("types", f"{kind!r} is not one of {', '.join(TYPES)}")
        statements.append(_statement(TYPE, der.sequence(*(der.oid(TYPES[kind]) for kind in types))))
    if parameters.has("legislation"):
        countries = parameters.texts("legislation")
        for country in countries:
            if not _is_code(country, upper=True):
                parameters.refuse("legislation", f"{country!r} is not a country code of two capitals")
        statements.append(_statement(LEGISLATION, der.sequence(*map(der.printable_string, countries))))
    if not statements:
        parameters.refuse("compliance", "at least one statement is needed")
    return constant(der.sequence(*statements))


def _statement(oid: str, information: bytes = b"") -> bytes:
    return der.sequence(der.oid(oid), information)


def _limit(limit: Parameters) -> bytes:
    currency = limit.text("currency")
    if len(currency) != 3 or not (currency.isascii() and currency.isalpha() and currency.isupper()):
        limit.refuse("currency", "it is an ISO 4217 code of three capitals")
    amount = limit.integer("amount", least=0, most=10**12)
    exponent = limit.integer("exponent", least=0, most=12) if limit.has("exponent") else 0
    limit.close()
    return der.sequence(der.printable_string(currency), der.integer(amount), der.integer(exponent))


def _pds(document: Parameters) -> bytes:
    url = document.text("url")
    if (fault := check_uri(url)) or not url.startswith("https://"):
        # EN 319 412-5 §4.3.4: the statement is fetched over HTTPS.
        document.refuse("url", fault or "it begins with https://")
    language = document.text("language")
    if not _is_code(language, upper=False):
        document.refuse("language", "it is an ISO 639-1 code of two small letters")
    document.close()
    return der.sequence(der.ia5_string(url), der.printable_string(language))


def _is_code(text: str, *, upper: bool) -> bool:
    return len(text) == 2 and text.isascii() and text.isalpha() and (text.isupper() if upper else text.islower())
